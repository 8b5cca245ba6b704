// SPDX-License-Identifier: GPL-2.0

//! Reads what xcap measured and says what it means.
//!
//! [`load`] gives the parsed and checked [`Stats`] of a `stats` file,
//! [`Report::new`] the statistics of it, which serde turns into the JSON that
//! `xcap-read --json` prints and back. [`show`] draws a report in a terminal.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dom0.stats");
//! use xcap_read::{load, Options, Report};
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
mod error;
mod explain;
mod histogram;
mod integer;
mod moments;
pub mod output;
mod parse;
pub mod report;
pub mod show;
mod source;
mod stats;
mod warning;

pub use correction::CostChoice;
pub use difference::difference;
pub use error::{Error, Malformed};
pub use explain::explain;
pub use histogram::{Histogram, Quantile};
pub use moments::{Interval, Moments};
pub use parse::parse;
pub use report::{Options, Report};
pub use source::{load, DEFAULT_PATH};
pub use stats::{Cost, Missed, Stage, Stats, Tsc};
pub use warning::Warning;
