// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use xcap_abi::paths::STATS;
use xcap_output::width;
use xcap_read::show::View;
use xcap_stats::CostChoice;

use crate::marks::Marks;
use crate::seconds::seconds;

/// Shows what each stage of packet capture costs, as measured by xcap.ko.
///
/// Without options: calls, mean with its confidence interval, µs, standard
/// deviation and missed calls of each stage; then self times, cost per frame,
/// and the values less what the probes themselves cost.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// A saved `stats` file, `-` for standard input
    #[arg(default_value = STATS)]
    pub file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Print the JSON schema of what --json prints
    #[arg(long)]
    pub schema: bool,

    /// Level of the confidence intervals, per cent
    #[arg(long, value_name = "LEVEL", default_value = "95", value_parser = level)]
    pub ci: f64,

    /// Which measured cost of the probes to take off the corrected values
    #[arg(long, value_enum, default_value_t)]
    pub cost: Cost,

    /// Show this stage only; may be given several times
    #[arg(long, value_name = "NAME")]
    pub stage: Vec<String>,

    /// Also show p50, p90, p99 and p99.9 with their bounds
    #[arg(long)]
    pub percentiles: bool,

    /// Draw the histogram of a stage
    #[arg(long, value_name = "STAGE", conflicts_with_all = ["json", "percentiles", "stage"])]
    pub histogram: Option<String>,

    /// Show what happened between two saved files
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["file", "watch"])]
    pub diff: Vec<PathBuf>,

    /// Draw again every so many seconds, with the calls since the last time
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = seconds, conflicts_with_all = ["json", "histogram"])]
    pub watch: Option<f64>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Marks(Marks),
}

const EXAMPLES: &str = "\
Examples:
  xcap-read                            the table
  xcap-read --ci 99 --percentiles      99 % intervals, and percentiles
  xcap-read --histogram softirq        the distribution of one stage
  xcap-read --watch 5                  again every five seconds
  xcap-read --json | jq '.stages[] | {stage, mean, ci95}'
  cp /sys/kernel/debug/xcap/stats before; …; xcap-read --diff before after

Exit status: 0 shown, 1 nothing to show (the reason is on stderr), 2 wrong usage.";

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Cost {
    /// As in a loop that does nothing else
    #[default]
    Hot,
    /// With the probe's code and data out of the caches
    Cold,
    /// Nothing is taken off
    None,
}

impl From<Cost> for CostChoice {
    fn from(cost: Cost) -> Self {
        match cost {
            Cost::Hot => Self::Hot,
            Cost::Cold => Self::Cold,
            Cost::None => Self::None,
        }
    }
}

impl Cli {
    pub fn view(&self) -> View {
        View {
            width: width(),
            percentiles: self.percentiles,
            new: None,
        }
    }
}

fn level(text: &str) -> Result<f64, String> {
    let level: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if level > 0.0 && level < 100.0 {
        Ok(level)
    } else {
        Err("not between 0 and 100".into())
    }
}
