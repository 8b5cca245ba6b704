// SPDX-License-Identifier: GPL-2.0

//! The statistics of a reading; `xcap-read --json` prints it as it is here.
//!
//! Keys are the fields' names. Integers are numbers up to 2^53 and strings of
//! digits beyond. What can't be told is `null`: means without samples, variance
//! and intervals below two, quantiles of an empty histogram, corrected values
//! where the cost of the probe is not known. Cycles are TSC cycles.

use serde::{Deserialize, Serialize};
use xcap_abi::format::VERSION;
use xcap_abi::histogram::{lower_bound, upper_bound};
use xcap_abi::state::State;

use crate::correction::{correct, cost_of};
use crate::{explain, integer, Cost, CostChoice, Interval, Moments, Quantile, Stage, Stats};
use crate::{Tsc, Warning};

/// How a report is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Level of the intervals, per cent.
    pub level: f64,
    pub cost: CostChoice,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: 95.0,
            cost: CostChoice::default(),
        }
    }
}

/// One reading of one machine, or the difference of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostReport {
    pub backend: String,
    /// `hot` or `cold`.
    pub cache: String,
    #[serde(with = "integer")]
    pub samples: u64,
    /// Sums over `samples`, cycles.
    #[serde(with = "integer")]
    pub inside: u64,
    #[serde(with = "integer")]
    pub outside: u64,
    /// Cycles a call, within the interval it measures.
    pub inside_mean: Option<f64>,
    /// Cycles a call, outside of it.
    pub outside_mean: Option<f64>,
}

/// One stage; raw figures as the module gave them, and what follows from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    pub stage: String,
    pub function: Option<String>,
    pub backend: Option<String>,
    pub state: String,
    /// The module's word for why the stage is in this state.
    pub reason: Option<String>,
    /// State and reason as a sentence, for stages that are not armed.
    pub explanation: Option<String>,
    #[serde(with = "integer")]
    pub count: u64,
    #[serde(with = "integer")]
    pub sum: u128,
    #[serde(with = "integer")]
    pub sumsq: u128,
    #[serde(with = "integer::option")]
    pub min: Option<u64>,
    #[serde(with = "integer::option")]
    pub max: Option<u64>,
    #[serde(with = "integer")]
    pub entries: u64,
    #[serde(with = "integer")]
    pub missed: u64,
    #[serde(with = "integer")]
    pub missed_pool: u64,
    #[serde(with = "integer")]
    pub missed_busy: u64,
    #[serde(with = "integer")]
    pub missed_straddled: u64,
    #[serde(with = "integer")]
    pub missed_negative: u64,
    #[serde(with = "integer")]
    pub in_flight: u64,
    #[serde(with = "integer")]
    pub migrated: u64,
    #[serde(with = "integer")]
    pub switched: u64,
    /// All figures are of one set of samples.
    pub exact: bool,
    pub mean: Option<f64>,
    /// The mean in µs.
    pub mean_us: Option<f64>,
    /// Unbiased.
    pub variance: Option<f64>,
    pub stddev: Option<f64>,
    /// Half width of the mean's 95 % interval, whatever `--ci` says.
    pub ci95: Option<f64>,
    /// The mean's interval at `--ci`.
    pub ci: Option<Interval>,
    #[serde(rename = "self")]
    pub self_time: SelfTime,
    #[serde(with = "integer")]
    pub nested_cost: u128,
    #[serde(with = "integer")]
    pub nested_outside: u128,
    /// Less what the probes cost; the raw values stay as they are.
    pub corrected: Option<Corrected>,
    #[serde(with = "integer")]
    pub work: u64,
    pub work_unit: Option<String>,
    pub cycles_per_work: Option<f64>,
    pub p50: Option<Quantile>,
    pub p90: Option<Quantile>,
    pub p99: Option<Quantile>,
    pub p99_9: Option<Quantile>,
    /// Buckets that are not empty, ascending.
    pub histogram: Vec<Bucket>,
}

/// Samples less what nested in them; of calls neither migrated nor switched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTime {
    #[serde(with = "integer")]
    pub count: u64,
    #[serde(with = "integer")]
    pub sum: u128,
    pub mean: Option<f64>,
}

/// Values less the probes' own cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// What the stage's own probe adds to each sample.
    pub floor: f64,
    pub mean: Option<f64>,
    pub self_mean: Option<f64>,
    pub cycles_per_work: Option<f64>,
}

/// Samples from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    #[serde(with = "integer")]
    pub low: u64,
    #[serde(with = "integer")]
    pub high: u64,
    #[serde(with = "integer")]
    pub count: u64,
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

impl StageReport {
    fn new(stats: &Stats, stage: &Stage, options: Options) -> Self {
        let moments = &stage.moments;
        let mean = moments.mean();
        let quantile = |share| stage.histogram.quantile(share, stage.min, stage.max);
        Self {
            stage: stage.name.clone(),
            function: stage.function.clone(),
            backend: stage.backend.clone(),
            state: stage.state.clone(),
            reason: stage.reason.clone(),
            explanation: explain(stage),
            count: moments.count,
            sum: moments.sum,
            sumsq: moments.sumsq,
            min: stage.min,
            max: stage.max,
            entries: stage.entries,
            missed: stage.missed,
            missed_pool: stage.missed_by.pool,
            missed_busy: stage.missed_by.busy,
            missed_straddled: stage.missed_by.straddled,
            missed_negative: stage.missed_by.negative,
            in_flight: stage.in_flight,
            migrated: stage.migrated,
            switched: stage.switched,
            exact: stage.exact,
            mean,
            mean_us: mean
                .filter(|_| stats.tsc_khz > 0)
                .map(|mean| mean * 1e3 / stats.tsc_khz as f64),
            variance: moments.variance(),
            stddev: moments.standard_deviation(),
            ci95: half_width_95(moments),
            ci: moments.interval(options.level),
            self_time: SelfTime::new(stage),
            nested_cost: stage.nested_cost,
            nested_outside: stage.nested_outside,
            corrected: cost_of(stats, stage, options.cost).map(|cost| correct(stage, cost)),
            work: stage.work,
            work_unit: stage.work_unit.clone(),
            cycles_per_work: (stage.work > 0).then(|| moments.sum as f64 / stage.work as f64),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            histogram: stage
                .histogram
                .0
                .iter()
                .map(|(&bucket, &count)| Bucket {
                    low: lower_bound(bucket),
                    high: upper_bound(bucket),
                    count,
                })
                .collect(),
        }
    }

    /// Whether its function's calls are being timed.
    pub fn is_armed(&self) -> bool {
        self.state == State::Armed.word()
    }
}

impl SelfTime {
    fn new(stage: &Stage) -> Self {
        Self {
            count: stage.self_count,
            sum: stage.self_sum,
            mean: stage.self_mean(),
        }
    }
}

fn half_width_95(moments: &Moments) -> Option<f64> {
    moments.interval(95.0).map(|interval| interval.half_width)
}
