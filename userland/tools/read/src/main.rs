// SPDX-License-Identifier: GPL-2.0

//! Shows what xcap measured.

mod chosen;
mod cli;
mod marks;
mod seconds;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use xcap_output::{print, width};
use xcap_read::show;
use xcap_stats::{difference, load, Stats};

use crate::chosen::chosen;
use crate::cli::{Cli, Command};

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
    if let Some(Command::Marks(marks)) = &cli.command {
        return marks::run(marks);
    }
    if cli.schema {
        let schema = schemars::schema_for!(xcap_stats::Report);
        return Ok(print(&(serde_json::to_string_pretty(&schema)? + "\n"))?);
    }
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
