// SPDX-License-Identifier: GPL-2.0

//! `xcap-stress`: xcap under everything at once, on kernels that watch themselves.

mod guest;
mod host;
mod parsers;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// All workloads on all kernels: a table, and results/stress/stress.json
    Run(host::Options),
    /// A workload, in a guest
    #[command(hide = true)]
    Guest(guest::Options),
    /// Samples what a CPU's kernel does, for a moment
    #[command(hide = true)]
    Perf,
    /// One of userland's parsers, with inputs that are nearly right
    #[command(hide = true)]
    Parse(parsers::Options),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(options) => host::run(&options),
        Command::Guest(options) => guest::run(&options),
        Command::Perf => guest::perf().map(|()| ExitCode::SUCCESS),
        Command::Parse(options) => parsers::run(&options),
    };
    match ended {
        Ok(code) => code,
        Err(e) => {
            eprintln!("xcap-stress: {e:#}");
            ExitCode::FAILURE
        }
    }
}
