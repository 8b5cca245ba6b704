// SPDX-License-Identifier: GPL-2.0

//! The command line.

use crate::bench::Part;
use crate::control::BACKENDS;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// What a probe costs, and whether what it reports is true
#[derive(Parser)]
#[command(
    max_term_width = 80,
    version,
    after_help = "Examples:\n  \
        xcap-bench umask                            the paper's experiment, on this machine\n  \
        xcap-bench umask --runs 10 --backend direct --json umask.json\n  \
        xcap-bench umask --deep                     the same of a function under many callers\n  \
        xcap-bench silicon                          a hit in ticks of this processor, no root\n  \
        xcap-bench check                            instructions a hit, against the record\n  \
        xcap-bench all                              what make bench does"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// The paper's experiment, here: calls without and with each backend (as root, xcap loaded)
    Umask(UmaskOptions),
    /// A hit's cost on this processor, and whether reports are true on it: no root, no module
    Silicon(SiliconOptions),
    /// On the deterministic machine: reports are true, and no hit costs more than on record
    Check(CheckOptions),
    /// Everything, beside every peer: results/bench/bench.json and docs/benchmarks.md
    All(AllOptions),
    /// What the others run inside a guest
    #[command(hide = true)]
    Guest { job: String },
}

#[derive(Args)]
pub struct UmaskOptions {
    /// Call what lies deep instead of umask(): a datagram to oneself over loopback
    #[arg(long)]
    pub deep: bool,
    /// Runs with each backend
    #[arg(long, default_value_t = 100)]
    pub runs: u32,
    /// Calls in a run; 1000000 of umask(), 100000 of what lies deep
    #[arg(long)]
    pub calls: Option<u32>,
    /// Decides in which order the runs come [default: by chance, and recorded]
    #[arg(long)]
    pub seed: Option<u32>,
    /// What a run is: the calls, and the µs that each took
    #[arg(long, hide = true)]
    pub one_run: bool,
    /// Only with these, besides without a probe
    #[arg(long = "backend", value_name = "BACKEND", value_delimiter = ',', value_parser = BACKENDS, default_values = BACKENDS)]
    pub backends: Vec<String>,
    /// Keep every run's value in this file; - prints it
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Print no table
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    xcap-bench silicon                                 a minute, on the last CPU\n  \
    xcap-bench silicon --cpu 2 --repetitions 201       where there is noise\n  \
    xcap-bench silicon --quick --output /tmp/silicon   seconds, rougher")]
pub struct SiliconOptions {
    /// Folder of silicon.json
    #[arg(long, value_name = "DIR", default_value = "results/silicon")]
    pub output: PathBuf,
    /// Measure on this CPU instead of the last one
    #[arg(long, value_name = "NUMBER")]
    pub cpu: Option<usize>,
    /// Batches of calls with and without each variant
    #[arg(long, default_value_t = 61, value_parser = clap::value_parser!(u32).range(3..))]
    pub repetitions: u32,
    /// Calls in a batch
    #[arg(long, default_value_t = 1009, value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: u64,
    /// Few repetitions of few calls: whether it works, rather than how much
    #[arg(long, conflicts_with_all = ["repetitions", "calls"])]
    pub quick: bool,
    /// Rewrite the section of this document that tells of it, too
    #[arg(long, value_name = "MARKDOWN")]
    pub document: Option<PathBuf>,
    /// Print no table
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct CheckOptions {
    /// Write what was measured into the record, instead of comparing
    #[arg(long)]
    pub update: bool,
    /// Use this module instead of building the source tree's
    #[arg(long, value_name = "KO")]
    pub module: Option<PathBuf>,
}

#[derive(Args)]
pub struct AllOptions {
    /// Runs of the paper's experiment with each backend
    #[arg(long, default_value_t = 100)]
    pub runs: u32,
    /// Calls in such a run
    #[arg(long, default_value_t = 1_000_000)]
    pub calls: u32,
    /// Measure only this, and keep what the last benchmark of this kernel found otherwise
    #[arg(long = "part", value_enum, value_delimiter = ',')]
    pub parts: Vec<Part>,
    /// Of the peers, measure only those whose names hold this
    #[arg(long = "peer", value_name = "WORD", value_delimiter = ',')]
    pub peers: Vec<String>,
    /// Use this module instead of building the source tree's
    #[arg(long, value_name = "KO")]
    pub module: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
