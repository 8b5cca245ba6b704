// SPDX-License-Identifier: GPL-2.0

//! Shows what xcap measured.

mod cli;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use xcap_output::{print, width};
use xcap_read::show;
use xcap_stats::{difference, load, Options, Report, Stats};

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-read: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(seconds) = cli.watch {
        return watch::watch(cli, seconds);
    }
    let stats = match cli.diff.as_slice() {
        [before, after] => difference(&load(before)?, &load(after)?)?,
        _ => load(&cli.file)?,
    };
    Ok(print(&text(cli, stats)?)?)
}

fn text(cli: &Cli, stats: Stats) -> Result<String, Box<dyn std::error::Error>> {
    let report = chosen(cli, stats)?;
    if cli.json {
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    if cli.histogram.is_some() {
        let width = width();
        let bars = report
            .stages
            .iter()
            .map(|stage| show::histogram(stage, width));
        let bars = bars.collect::<Vec<_>>().join("\n");
        return Ok(format!("{}\n{bars}", show::head(&report, width)));
    }
    Ok(show::report(&report, &cli.view()))
}

/// The report of the stages that the command line asks for.
fn chosen(cli: &Cli, mut stats: Stats) -> Result<Report, String> {
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
