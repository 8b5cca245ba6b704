// SPDX-License-Identifier: GPL-2.0

//! What runs in each machine: records its share of a run.

mod capture;
mod command;
mod counters;
mod looks;
mod marks;
mod options;
mod recorder;
mod send;
mod settle;
mod tool;
mod xcap;

pub use command::{command, BEGUN};
pub use options::{arguments, Options, MARKS};
