// SPDX-License-Identifier: GPL-2.0

//! A `stats` file, parsed; the columns' meaning is told in `xcap_abi::format`.

use serde::{Deserialize, Serialize};
use xcap_abi::state::State;

use crate::{Histogram, Moments};

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
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub name: String,
    pub function: Option<String>,
    pub backend: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    /// Of whole samples, entry to return.
    pub moments: Moments,
    /// Unknown where there is no sample, and in most differences.
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub entries: u64,
    pub missed: u64,
    pub missed_by: Missed,
    pub in_flight: u64,
    pub migrated: u64,
    pub switched: u64,
    /// Samples that have a self time, and the sum of those times.
    pub self_count: u64,
    pub self_sum: u128,
    pub work: u64,
    pub work_unit: Option<String>,
    pub nested_cost: u128,
    pub nested_outside: u128,
    /// All figures are of one set of samples.
    pub exact: bool,
    pub histogram: Histogram,
}

/// Entries that yielded no sample, by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed {
    pub pool: u64,
    pub busy: u64,
    pub straddled: u64,
    pub negative: u64,
}

impl Missed {
    /// All causes; of 128 bits, since the causes of a damaged file may not fit 64.
    pub fn total(&self) -> u128 {
        [self.pool, self.busy, self.straddled, self.negative]
            .map(u128::from)
            .iter()
            .sum()
    }
}

impl Stage {
    /// Mean of the self times.
    pub fn self_mean(&self) -> Option<f64> {
        let self_times = Moments {
            count: self.self_count,
            sum: self.self_sum,
            sumsq: 0,
        };
        self_times.mean()
    }

    /// Whether its function's calls are being timed.
    pub fn is_armed(&self) -> bool {
        self.state == State::Armed.word()
    }
}
