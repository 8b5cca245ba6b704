// SPDX-License-Identifier: GPL-2.0

//! `--per-cpu`.

use xcap_output::width;
use xcap_read::cli::Cli;
use xcap_read::show;
use xcap_stats::{PerCpu, PerCpuReport, Report};

use crate::chosen::choose;

/// What is to be printed of it.
pub fn text(cli: &Cli, mut reading: PerCpu) -> Result<String, Box<dyn std::error::Error>> {
    let Some(mut total) = reading.total() else {
        return Err("no CPU has called anything yet: xcap-read shows the stages there are".into());
    };
    choose(cli, &mut total)?;
    for one in &mut reading.cpus {
        // In the order of the total.
        let place = |name: &str| total.stages.iter().position(|stage| stage.stage == name);
        one.stats
            .stages
            .retain(|stage| place(&stage.stage).is_some());
        one.stats.stages.sort_by_key(|stage| place(&stage.stage));
    }
    let cpus = PerCpuReport::new(&reading, cli.options());
    if cli.json {
        return Ok(serde_json::to_string_pretty(&cpus)? + "\n");
    }
    let total = Report::new(&total, cli.options());
    Ok(show::per_cpu(&total, &cpus, width()))
}
