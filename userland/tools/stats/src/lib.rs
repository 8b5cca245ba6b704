// SPDX-License-Identifier: GPL-2.0

//! What xcap measured: read, checked, and its statistics.
//!
//! [`load`] gives the parsed and checked [`Stats`] of a `stats` file,
//! [`Report::new`] the statistics of it, which serde turns into the JSON that
//! `xcap-read --json` prints and back.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../read/tests/data/dom0.stats");
//! use xcap_stats::{load, Options, Report};
//!
//! let stats = load(path.as_ref())?;
//! let report = Report::new(&stats, Options::default());
//! let poll = report.stage("nic_poll").ok_or("no such stage")?;
//! assert_eq!((poll.count, poll.work), (182, 10_000));
//!
//! let json = serde_json::to_string(&report)?;
//! assert_eq!(serde_json::from_str::<Report>(&json)?, report);
//! # Ok(())
//! # }
//! ```

mod check;
mod correction;
mod difference;
mod effect;
mod error;
mod explain;
mod histogram;
mod integer;
mod joined;
mod least_squares;
mod moments;
mod options;
mod parse;
mod per_cpu;
mod quiet;
pub mod report;
mod rewritten;
mod source;
mod stage_report;
mod stats;
pub mod student;
mod warning;

pub use correction::{corrected, Corrected, CostChoice};
pub use difference::difference;
pub use effect::{holm, Effect, TooFew};
pub use error::{Error, Malformed};
pub use explain::explain;
pub use histogram::{Histogram, Quantile};
pub use least_squares::{least_squares, Observation};
pub use moments::{Interval, Moments};
pub use options::Options;
pub use parse::{parse, parse_per_cpu};
pub use per_cpu::{OneCpu, PerCpu};
pub use report::{PerCpuReport, Report};
pub use rewritten::rewritten;
pub use source::{load, load_per_cpu};
pub use stats::{Cost, Stage, Stats, Tsc};
pub use warning::Warning;
