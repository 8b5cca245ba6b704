// SPDX-License-Identifier: GPL-2.0

//! What of a reading is to be shown, and in which order.

use std::cmp::Reverse;

use xcap_read::cli::{Cli, Sort};
use xcap_stats::{Stage, Stats};

/// Leaves the stages that the command line asks for, in its order.
pub fn choose(cli: &Cli, stats: &mut Stats) -> Result<(), String> {
    let wanted: Vec<&String> = cli.stage.iter().chain(&cli.histogram).collect();
    for name in &wanted {
        if !stats.stages.iter().any(|stage| stage.stage == **name) {
            let known: Vec<_> = stats.stages.iter().map(|stage| &*stage.stage).collect();
            return Err(format!("no stage '{name}', there are: {}", known.join(" ")));
        }
    }
    if !wanted.is_empty() {
        stats.stages.retain(|stage| wanted.contains(&&stage.stage));
    }
    sort(&mut stats.stages, cli.sort);
    Ok(())
}

/// Puts them in order.
pub fn sort(stages: &mut [Stage], by: Sort) {
    let mean = |stage: &Stage| stage.sum.checked_div(stage.count.into());
    match by {
        Sort::Path => {}
        Sort::Name => stages.sort_by(|a, b| a.stage.cmp(&b.stage)),
        Sort::Calls => stages.sort_by_key(|stage| Reverse(stage.count)),
        Sort::Mean => stages.sort_by_key(|stage| Reverse(mean(stage))),
        Sort::Total => stages.sort_by_key(|stage| Reverse(stage.sum)),
        Sort::SelfTime => stages.sort_by_key(|stage| Reverse(stage.self_sum)),
        Sort::Missed => stages.sort_by_key(|stage| Reverse(stage.missed)),
    }
}
