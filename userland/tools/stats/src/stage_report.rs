// SPDX-License-Identifier: GPL-2.0

//! The statistics of one stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::figures;
use xcap_abi::histogram::{lower_bound, upper_bound};
use xcap_abi::state::State;

use crate::correction::{correct, cost_of, Corrected};
use crate::explain::explain;
use crate::histogram::{Histogram, Quantile};
use crate::integer;
use crate::moments::{Interval, Moments};
use crate::options::Options;
use crate::stats::{Stage, Stats};

/// Makes [`StageReport`] of the lines of `figures!`: counters stand in it as they are declared,
/// and so does what came later; the other columns have places of their own.
macro_rules! stage_report {
    (
        identity { $($identity:tt)* }
        calls { $($(#[$doc:meta])* $count:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;)* }
        costs { $($costs:tt)* }
        later_words { $($(#[$word_doc:meta])* $word:ident: $word_type:ty,
            $word_merge:ident, $word_since:ident, probe;)* }
        later { $($(#[$later_doc:meta])* $later:ident: $later_type:ty,
            $later_merge:ident, $later_since:ident,
            $($later_origin:ident $(($($later_from:tt)*))?)+;)* }
    ) => {
        /// One stage; raw figures as the module gave them, and what follows from them.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct StageReport {
            pub stage: String,
            pub function: Option<String>,
            pub backend: Option<String>,
            pub state: String,
            /// The module's word for why the stage is in this state.
            pub reason: Option<String>,
            /// State and reason as a sentence, for stages that are not armed.
            pub explanation: Option<String>,
            $(
                $(#[$doc])*
                #[serde(with = "integer")]
#[schemars(schema_with = "integer::schema")]
                pub $count: $type,
            )*
            $(
                $(#[$later_doc])*
                #[serde(with = "integer")]
#[schemars(schema_with = "integer::schema")]
                pub $later: $later_type,
            )*
            $(
                $(#[$word_doc])*
                pub $word: $word_type,
            )*
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
#[schemars(schema_with = "integer::schema")]
            pub nested_cost: u128,
            #[serde(with = "integer")]
#[schemars(schema_with = "integer::schema")]
            pub nested_outside: u128,
            /// Less what the probes cost; the raw values stay as they are.
            pub corrected: Option<Corrected>,
            #[serde(with = "integer")]
#[schemars(schema_with = "integer::schema")]
            pub work: u64,
            pub work_unit: Option<String>,
            pub cycles_per_work: Option<f64>,
            /// Quantiles; none where there is no sample beyond, as of 999 for p99.9.
            pub p50: Option<Quantile>,
            pub p90: Option<Quantile>,
            pub p99: Option<Quantile>,
            pub p99_9: Option<Quantile>,
            /// Buckets that are not empty, ascending.
            pub histogram: Vec<Bucket>,
        }

        impl StageReport {
            pub(crate) fn new(stats: &Stats, stage: &Stage, options: Options) -> Self {
                let moments = Moments::of(stage);
                let mean = moments.mean();
                let quantile = |share| {
                    let quantile = stage.histogram.quantile(share, stage.min, stage.max);
                    quantile.filter(|_| stage.histogram.tells(share))
                };
                Self {
                    stage: stage.stage.clone(),
                    function: stage.function.clone(),
                    backend: stage.backend.clone(),
                    state: stage.state.clone(),
                    reason: stage.reason.clone(),
                    explanation: explain(stage),
                    $($count: stage.$count,)*
                    $($later: stage.$later,)*
                    $($word: stage.$word.clone(),)*
                    exact: stage.exact,
                    mean,
                    mean_us: mean
                        .filter(|_| stats.tsc_khz > 0)
                        .map(|mean| mean * 1e3 / stats.tsc_khz as f64),
                    variance: moments.variance(),
                    stddev: moments.standard_deviation(),
                    ci95: moments.interval(95.0).map(|interval| interval.half_width),
                    ci: moments.interval(options.level),
                    self_time: SelfTime::new(stage),
                    nested_cost: stage.nested_cost,
                    nested_outside: stage.nested_outside,
                    corrected: cost_of(stats, stage, options.cost)
                        .map(|cost| correct(stats, stage, cost)),
                    work: stage.work,
                    work_unit: stage.work_unit.clone(),
                    cycles_per_work: (stage.work > 0)
                        .then(|| moments.sum as f64 / stage.work as f64),
                    p50: quantile(0.5),
                    p90: quantile(0.9),
                    p99: quantile(0.99),
                    p99_9: quantile(0.999),
                    histogram: Bucket::all(&stage.histogram),
                }
            }
        }
    };
}

type Text = String;

figures!(stage_report);

impl StageReport {
    /// Whether its function's calls are being timed.
    pub fn is_armed(&self) -> bool {
        self.state == State::Armed.word()
    }
}

/// Samples less what nested in them; of calls neither migrated nor switched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelfTime {
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub count: u64,
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub sum: u128,
    pub mean: Option<f64>,
}

impl SelfTime {
    fn new(stage: &Stage) -> Self {
        Self {
            count: stage.self_count,
            sum: stage.self_sum,
            mean: Moments::self_mean(stage),
        }
    }
}

/// Samples from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub low: u64,
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub high: u64,
    #[serde(with = "integer")]
    #[schemars(schema_with = "integer::schema")]
    pub count: u64,
}

impl Bucket {
    fn all(histogram: &Histogram) -> Vec<Self> {
        let buckets = histogram.0.iter();
        buckets
            .map(|(&bucket, &count)| Self {
                low: lower_bound(bucket),
                high: upper_bound(bucket),
                count,
            })
            .collect()
    }
}
