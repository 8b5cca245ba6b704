// SPDX-License-Identifier: GPL-2.0

//! A `stats` file, parsed; the columns' meaning is told in `xcap_abi::figures`.

use schemars::JsonSchema;
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// `hot`, `cold` or, hot and through so many callers, `hot_under_16`.
    pub cache: String,
    pub samples: u64,
    /// Sum of the probe's part of the samples, cycles.
    pub inside: u64,
    /// Sum of what the probe cost outside the samples, cycles.
    pub outside: u64,
    /// What a quarter of the batches did not exceed, of which `inside` is the cheapest's.
    pub inside_quartile: Option<u64>,
    /// The same of `outside`.
    pub outside_quartile: Option<u64>,
}

/// One line of `stats`.
pub type Stage = Record<String, Histogram>;

impl Cost {
    /// Whether it is this cost under more callers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let under = self.cache.strip_prefix(&*other.cache);
        self.backend == other.backend
            && self.samples > 0
            && under.is_some_and(|rest| rest.starts_with("_under_"))
    }

    /// The least and, where it is known, the most that a hit costs in all, cycles.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        let each = |inside: u64, outside: u64| (inside + outside) as f64 / self.samples as f64;
        let quartile = each(self.inside_quartile?, self.outside_quartile?);
        Some((each(self.inside, self.outside), quartile))
    }
}
