// SPDX-License-Identifier: GPL-2.0

//! A `stats` file, parsed; the columns' meaning is told in `xcap_abi::figures`.

use serde::{Deserialize, Serialize};
use xcap_abi::record::Record;

use crate::histogram::Histogram;

/// One reading of `stats`, or the difference of two.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    pub kernel: String,
    pub role: String,
    pub cpus: Option<u32>,
    pub tsc_khz: u64,
    pub tsc: Option<Tsc>,
    pub recording: Option<bool>,
    pub costs: Vec<Cost>,
    pub stages: Vec<Stage>,
    /// Made by [`crate::difference`].
    pub is_difference: bool,
}

/// What is known of the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tsc {
    /// Ticks at one rate whatever the CPU's frequency and sleep.
    pub invariant: bool,
    /// Each read of it is a trap to the hypervisor.
    pub trapped: bool,
    /// What one read costs, cycles.
    pub rdtsc_cycles: u64,
    /// Bound of the difference between the CPUs' counters, cycles.
    pub skew_cycles: u64,
    /// Where the frequency was taken from.
    pub source: String,
}

/// What a backend's probe cost on an empty function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    pub backend: String,
    /// `hot` or `cold`.
    pub cache: String,
    pub samples: u64,
    /// Sum of the probe's part of the samples, cycles.
    pub inside: u64,
    /// Sum of what the probe cost outside the samples, cycles.
    pub outside: u64,
}

/// One line of `stats`.
pub type Stage = Record<String, Histogram>;
