// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::{Path, PathBuf};

use crate::metrics::Steps;
use crate::show::View;
use clap::{Parser, Subcommand, ValueEnum};
use xcap_abi::paths::{PER_CPU, STATS};
use xcap_output::width;
use xcap_stats::{CostChoice, Options};

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

    /// A saved file, `-` for standard input [default: what xcap has now]
    pub file: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long, group = "form")]
    pub json: bool,

    /// Print the JSON schema of what --json prints
    #[arg(long, group = "form")]
    pub schema: bool,

    /// Print OpenMetrics, as Prometheus and its like scrape it
    #[arg(long, group = "form")]
    pub openmetrics: bool,

    /// Write what node_exporter's textfile collector takes to FILE, whole or
    /// not at all; where xcap is not there, only that
    #[arg(long, value_name = "FILE", group = "form")]
    pub textfile: Option<PathBuf>,

    /// Buckets of exported histograms in each power of two: 1, 2, 4 or 8
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = steps)]
    pub buckets: Steps,

    /// Level of the confidence intervals, per cent
    #[arg(long, value_name = "LEVEL", default_value = "95", value_parser = level)]
    pub ci: f64,

    /// Which measured cost of the probes to take off the corrected values
    #[arg(long, value_enum, default_value_t)]
    pub cost: Cost,

    /// Show this stage only; may be given several times
    #[arg(long, value_name = "NAME")]
    pub stage: Vec<String>,

    /// Show each CPU's figures; reads `per_cpu`, not `stats`
    #[arg(long, conflicts_with_all = ["openmetrics", "textfile", "histogram", "percentiles", "diff", "watch"])]
    pub per_cpu: bool,

    /// Order of the stages
    #[arg(long, value_enum, value_name = "BY", default_value_t)]
    pub sort: Sort,

    /// Also show p50, p90, p99 and p99.9 with their bounds
    #[arg(long)]
    pub percentiles: bool,

    /// Draw the histogram of a stage
    #[arg(long, value_name = "STAGE", group = "form", conflicts_with_all = ["percentiles", "stage"])]
    pub histogram: Option<String>,

    /// Show what happened between two saved files
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["file", "watch"])]
    pub diff: Vec<PathBuf>,

    /// Draw again every so many seconds; on a terminal, live: rates, the last
    /// minute, and keys to reset, stop and start
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = seconds, conflicts_with = "form")]
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
  xcap-read --per-cpu --stage softirq  one stage, CPU by CPU
  xcap-read --sort total               what takes most cycles comes first
  xcap-read --watch 5                  again every five seconds
  xcap-read --json | jq '.stages[] | {stage, mean, ci95}'
  xcap-read --textfile /var/lib/prometheus/node-exporter/xcap.prom
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

/// What comes first; of figures, the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// As a frame meets them
    #[default]
    Path,
    /// By name
    Name,
    /// By the number of calls
    Calls,
    /// By the cycles of a call
    Mean,
    /// By the cycles of all calls
    Total,
    /// By their self time
    #[value(name = "self")]
    SelfTime,
    /// By the calls that were missed
    Missed,
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
    /// The file to read.
    pub fn file(&self) -> &Path {
        let xcap = if self.per_cpu { PER_CPU } else { STATS };
        self.file.as_deref().unwrap_or(Path::new(xcap))
    }

    pub fn options(&self) -> Options {
        Options {
            level: self.ci,
            cost: self.cost.into(),
        }
    }

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

fn steps(text: &str) -> Result<Steps, String> {
    let number = text.parse().ok().and_then(Steps::new);
    number.ok_or_else(|| "not 1, 2, 4 or 8".into())
}
