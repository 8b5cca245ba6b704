// SPDX-License-Identifier: GPL-2.0

//! What of a reading is to be shown.

use xcap_stats::{Options, Report, Stats};

use crate::cli::Cli;

/// The report of the stages that the command line asks for.
pub fn chosen(cli: &Cli, mut stats: Stats) -> Result<Report, String> {
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
    let options = Options {
        level: cli.ci,
        cost: cli.cost.into(),
    };
    Ok(Report::new(&stats, options))
}
