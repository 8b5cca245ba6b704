// SPDX-License-Identifier: GPL-2.0

//! Drawing again and again, with what is new, for what isn't a terminal.

use std::collections::HashMap;
use std::thread::sleep;
use std::time::Duration;

use xcap_output::print;
use xcap_read::show::{self, Key};
use xcap_stats::{Report, Stats};

use crate::chosen::choose;
use crate::reading::read;
use xcap_read::cli::Cli;

/// Draws every `seconds` until it is stopped, or `stats` goes away.
pub fn watch(cli: &Cli, seconds: f64) -> Result<(), Box<dyn std::error::Error>> {
    let mut last: Option<HashMap<Key, u64>> = None;
    loop {
        let mut stats = read(cli.file())?;
        let counts = counts(&stats);
        let mut view = cli.view();
        view.new = Some(match &last {
            None => HashMap::new(),
            Some(last) => since(last, &counts),
        });
        choose(cli, &mut stats)?;
        let report = Report::new(&stats, cli.options());
        print(&format!("\n{}", show::report(&report, &view)))?;
        last = Some(counts);
        sleep(Duration::from_secs_f64(seconds));
    }
}

fn counts(stats: &Stats) -> HashMap<Key, u64> {
    let stages = stats.stages.iter();
    stages
        .map(|stage| ((stage.stage.clone(), stage.function.clone()), stage.count))
        .collect()
}

/// Calls that came since `last`; after a reset, all there are.
fn since(last: &HashMap<Key, u64>, now: &HashMap<Key, u64>) -> HashMap<Key, u64> {
    now.iter()
        .map(|(key, &count)| {
            let before = last.get(key).copied().unwrap_or(0);
            (key.clone(), count.checked_sub(before).unwrap_or(count))
        })
        .collect()
}
