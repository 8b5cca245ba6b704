// SPDX-License-Identifier: GPL-2.0

//! A tool that is at work, and what it says in the end.

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What a tool says about the function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Calls that it counted.
    pub count: u64,
    /// Their mean, as it reports it: in cycles or ns, which the deterministic machine has as one.
    pub mean: Option<f64>,
    /// Less its own cost, where the tool knows it.
    pub corrected: Option<f64>,
}

/// A tool that is armed on a function.
pub trait Armed {
    /// Memory that it takes, in KiB: its processes' and its kernel module's.
    fn memory_kib(&self) -> Result<u64>;

    /// Ends it and says what it saw.
    fn finish(self: Box<Self>) -> Result<Reading>;
}
