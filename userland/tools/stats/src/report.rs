// SPDX-License-Identifier: GPL-2.0

//! The statistics of a reading; `xcap-read --json` prints it as it is here.
//!
//! Keys are the fields' names. Integers are numbers up to 2^53 and strings of
//! digits beyond. What can't be told is `null`: means without samples, variance
//! and intervals below two, quantiles of an empty histogram, corrected values
//! where the cost of the probe is not known. Cycles are TSC cycles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::format::VERSION;

use crate::correction::CostChoice;
use crate::integer;
use crate::per_cpu::PerCpu;
use crate::stats::{Cost, Stats, Tsc};
use crate::warning::Warning;

pub use crate::options::Options;
pub use crate::stage_report::{Bucket, SelfTime, StageReport};

/// One reading of one machine, or the difference of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of the `stats` format that it was made from.
    pub format: u32,
    pub kernel: String,
    pub role: String,
    pub cpus: Option<u32>,
    pub tsc_khz: u64,
    pub tsc: Option<Tsc>,
    pub recording: Option<bool>,
    /// Two readings were subtracted (`--diff`).
    pub is_difference: bool,
    /// Level of the stages' `ci`, per cent.
    pub level: f64,
    /// Which of `costs` the `corrected` values are corrected by.
    pub cost: CostChoice,
    pub costs: Vec<CostReport>,
    /// What touches the figures, and what to do, one sentence each.
    pub warnings: Vec<String>,
    pub stages: Vec<StageReport>,
}

/// What a probe costs on an empty function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostReport {
    pub backend: String,
    /// `hot` or `cold`.
    pub cache: String,
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub samples: u64,
    /// Sums over `samples`, cycles.
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub inside: u64,
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub outside: u64,
    /// Cycles a call, within the interval it measures.
    pub inside_mean: Option<f64>,
    /// Cycles a call, outside of it.
    pub outside_mean: Option<f64>,
}

/// One reading of `per_cpu`, as `xcap-read --per-cpu --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerCpuReport {
    pub cpus: Vec<CpuReport>,
}

/// A CPU's part of it. Calls that were entered here may have returned elsewhere: `entries` and
/// `in_flight` are modulo 2^64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuReport {
    /// `null`: calls that the kernel lost, nobody knows on which CPU.
    pub cpu: Option<u32>,
    pub report: Report,
}

impl PerCpuReport {
    pub fn new(per_cpu: &PerCpu, options: Options) -> Self {
        let cpus = per_cpu.cpus.iter().map(|one| CpuReport {
            cpu: one.cpu,
            report: Report::new(&one.stats, options),
        });
        Self {
            cpus: cpus.collect(),
        }
    }
}

impl Report {
    /// The first stage of that name.
    pub fn stage(&self, name: &str) -> Option<&StageReport> {
        self.stages.iter().find(|stage| stage.stage == name)
    }

    pub fn new(stats: &Stats, options: Options) -> Self {
        Self {
            format: VERSION,
            kernel: stats.kernel.clone(),
            role: stats.role.clone(),
            cpus: stats.cpus,
            tsc_khz: stats.tsc_khz,
            tsc: stats.tsc.clone(),
            recording: stats.recording,
            is_difference: stats.is_difference,
            level: options.level,
            cost: options.cost,
            costs: stats.costs.iter().map(CostReport::new).collect(),
            warnings: Warning::of(stats, options.cost)
                .iter()
                .map(Warning::to_string)
                .collect(),
            stages: stats
                .stages
                .iter()
                .map(|stage| StageReport::new(stats, stage, options))
                .collect(),
        }
    }
}

impl CostReport {
    fn new(cost: &Cost) -> Self {
        let mean = |sum| (cost.samples > 0).then(|| sum as f64 / cost.samples as f64);
        Self {
            backend: cost.backend.clone(),
            cache: cost.cache.clone(),
            samples: cost.samples,
            inside: cost.inside,
            outside: cost.outside,
            inside_mean: mean(cost.inside),
            outside_mean: mean(cost.outside),
        }
    }
}
