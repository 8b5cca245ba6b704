// SPDX-License-Identifier: GPL-2.0

//! xcap under everything at once, on kernels that watch themselves.

mod guest;
mod host;
mod parsers;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Looks for what tests have not found: xcap under everything at once, on kernels that watch themselves
#[derive(Parser)]
#[command(name = "xcap-stress", version, max_term_width = 80, after_help = host::HELP)]
pub struct Cli {
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

pub fn run(cli: &Cli) -> Result<ExitCode> {
    match &cli.command {
        Command::Run(options) => host::run(options),
        Command::Guest(options) => guest::run(options),
        Command::Perf => guest::perf().map(|()| ExitCode::SUCCESS),
        Command::Parse(options) => parsers::run(options),
    }
}
