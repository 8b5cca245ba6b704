// SPDX-License-Identifier: GPL-2.0

//! Shows what xcap measured.

mod chosen;
mod per_cpu;
mod reading;
mod terminal;
mod textfile;
mod watch;

use std::io::{stdin, stdout, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use xcap_output::{print, width};
use xcap_read::metrics::{self, Syntax};
use xcap_read::show;
use xcap_stats::{difference, PerCpuReport, Report, Stats};

use crate::chosen::choose;
use crate::reading::{read, read_per_cpu};
use xcap_read::cli::{Cli, Command};
use xcap_read::marks;

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
        let schema = if cli.per_cpu {
            schemars::schema_for!(PerCpuReport)
        } else {
            schemars::schema_for!(Report)
        };
        return Ok(print(&(serde_json::to_string_pretty(&schema)? + "\n"))?);
    }
    if let Some(seconds) = cli.watch {
        let interactive = stdin().is_terminal() && stdout().is_terminal();
        return if interactive {
            terminal::live(cli, seconds)
        } else {
            watch::watch(cli, seconds)
        };
    }
    if let Some(file) = &cli.textfile {
        return textfile::write(file, read(cli.file()), cli.buckets);
    }
    if cli.per_cpu {
        return Ok(print(&per_cpu::text(cli, read_per_cpu(cli.file())?)?)?);
    }
    let stats = match cli.diff.as_slice() {
        [before, after] => difference(&read(before)?, &read(after)?)?,
        _ => read(cli.file())?,
    };
    Ok(print(&text(cli, stats)?)?)
}

fn text(cli: &Cli, mut stats: Stats) -> Result<String, Box<dyn std::error::Error>> {
    choose(cli, &mut stats)?;
    if cli.openmetrics {
        return Ok(metrics::text(
            Some(&stats),
            Syntax::OpenMetrics,
            cli.buckets,
        ));
    }
    let report = Report::new(&stats, cli.options());
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
