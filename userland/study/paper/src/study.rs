// SPDX-License-Identifier: GPL-2.0

//! All runs together: figures of a stage over repetitions, scenarios and machines.

use std::collections::{BTreeMap, BTreeSet};

use xcap_abi::stage::Stage;
use xcap_stats::{corrected, CostChoice, Histogram, Moments};

use crate::called::called;
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::Scenario;
use xcap_study::testbed::{Unit, World};

/// What is varied on purpose: runs of one condition are repetitions of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    pub environment: Environment,
    pub scenario: Scenario,
    pub buffer: Buffer,
}

/// A figure of each repetition.
pub type Series = BTreeMap<u32, f64>;

pub fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / count
}

/// A stage in all repetitions of a condition.
#[derive(Debug, Clone)]
pub struct Pooled {
    pub function: String,
    pub backend: String,
    /// Of all calls of all repetitions.
    pub moments: Moments,
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub missed: u64,
    pub self_count: u64,
    pub self_sum: u128,
    pub work: u64,
    pub work_unit: Option<String>,
    pub histogram: Histogram,
    /// The mean less what the probes cost.
    pub corrected: Option<f64>,
    /// The mean of each repetition.
    pub means: Series,
    /// The mean self time of each repetition.
    pub self_means: Series,
    /// Frames that came to the machine, all repetitions together.
    pub frames: u64,
}

pub struct Study {
    pub runs: Vec<Run>,
}

impl Study {
    pub fn new(runs: Vec<Run>) -> Self {
        Self { runs }
    }

    pub fn environments(&self) -> Vec<Environment> {
        let found: BTreeSet<_> = self.runs.iter().map(|run| run.id.environment).collect();
        found.into_iter().collect()
    }

    pub fn buffers(&self) -> Vec<Buffer> {
        let found: BTreeSet<_> = self.runs.iter().map(|run| run.id.buffer).collect();
        found.into_iter().collect()
    }

    /// The environment that the paper's figures are drawn of.
    pub fn xen(&self) -> Option<Environment> {
        self.environments()
            .into_iter()
            .find(|environment| environment.is_xen())
    }

    /// The socket as in the paper, where there are runs of it.
    pub fn buffer(&self) -> Buffer {
        self.buffers().into_iter().next().unwrap_or(Buffer::System)
    }

    /// What the figures are cycles of: the least real that is among them.
    pub fn world(&self) -> World {
        let worlds = self.runs.iter().map(|run| run.testbed.world);
        worlds.min().unwrap_or(World::Emulated)
    }

    /// What the figures are counted in: cycles, if any are.
    pub fn unit(&self) -> Unit {
        let units = self.runs.iter().map(|run| run.testbed.unit);
        units.max().unwrap_or_default()
    }

    pub fn has_two_units(&self) -> bool {
        self.runs.iter().any(|run| run.testbed.unit != self.unit())
    }

    pub fn has_two_worlds(&self) -> bool {
        self.runs
            .iter()
            .any(|run| run.testbed.world != self.world())
    }

    pub fn of(&self, condition: Condition) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| {
            run.id.environment == condition.environment
                && run.id.scenario == condition.scenario
                && run.id.buffer == condition.buffer
        })
    }

    pub fn series(&self, condition: Condition, figure: impl Fn(&Run) -> Option<f64>) -> Series {
        self.of(condition)
            .filter_map(|run| Some((run.id.repetition, figure(run)?)))
            .collect()
    }

    pub fn pooled(&self, condition: Condition, domain: Domain, name: Stage) -> Option<Pooled> {
        let mut pooled: Option<Pooled> = None;
        let mut corrected = Some(0.0);
        for run in self.of(condition) {
            let Some(stage) = stage(run, domain, name) else {
                continue;
            };
            let frames = run.frames.at(domain);
            let all = pooled.get_or_insert_with(|| Pooled {
                function: stage.function.clone().unwrap_or_default(),
                backend: stage.backend.clone().unwrap_or_default(),
                moments: Moments::default(),
                min: None,
                max: None,
                missed: 0,
                self_count: 0,
                self_sum: 0,
                work: 0,
                work_unit: stage.work_unit.clone(),
                histogram: Histogram::default(),
                corrected: None,
                means: Series::new(),
                self_means: Series::new(),
                frames: 0,
            });
            all.add(stage);
            all.frames += frames;
            if stage.self_count > 0 {
                let own = stage.self_sum as f64 / stage.self_count as f64;
                all.self_means.insert(run.id.repetition, own);
            }
            if let Some(mean) = Moments::of(stage).mean() {
                all.means.insert(run.id.repetition, mean);
                let less = less_probes(run, domain, name);
                corrected = corrected
                    .zip(less)
                    .map(|(sum, less)| sum + less * stage.count as f64);
            }
        }
        let mut pooled = pooled?;
        let count = pooled.moments.count as f64;
        pooled.corrected = corrected.filter(|_| count > 0.0).map(|sum| sum / count);
        Some(pooled)
    }
}

impl Pooled {
    fn add(&mut self, stage: &xcap_stats::Stage) {
        self.moments.count += stage.count;
        self.moments.sum += stage.sum;
        self.moments.sumsq += stage.sumsq;
        self.min = [self.min, stage.min].into_iter().flatten().min();
        self.max = [self.max, stage.max].into_iter().flatten().max();
        self.missed += stage.missed;
        self.self_count += stage.self_count;
        self.self_sum += stage.self_sum;
        self.work += stage.work;
        for (&bucket, &count) in &stage.histogram.0 {
            *self.histogram.0.entry(bucket).or_default() += count;
        }
        if self.backend.is_empty() {
            self.backend = stage.backend.clone().unwrap_or_default();
        }
    }

    pub fn mean(&self) -> Option<f64> {
        self.moments.mean()
    }

    /// Half width of the 95 % interval of the mean over calls. None of few calls, nor where it would reach below zero:
    /// calls so skewed have no such interval.
    pub fn half_width(&self) -> Option<f64> {
        let mean = self.mean()?;
        let half = self.moments.interval(95.0)?.half_width;
        (self.moments.count >= LEAST_CALLS && half < mean).then_some(half)
    }

    /// What `share` of the calls don't exceed.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let quantile = self.histogram.quantile(share, self.min, self.max)?;
        self.histogram.tells(share).then_some(quantile.value as f64)
    }

    pub fn self_mean(&self) -> Option<f64> {
        (self.self_count > 0).then(|| self.self_sum as f64 / self.self_count as f64)
    }

    /// Cycles in this stage for each frame that came to the machine.
    pub fn per_frame(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.moments.sum as f64 / self.frames as f64)
    }

    pub fn self_per_frame(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.self_sum as f64 / self.frames as f64)
    }
}

/// A stage that the kernel had, with or without calls.
pub fn stage(run: &Run, domain: Domain, name: Stage) -> Option<&xcap_stats::Stage> {
    called(&run.stats.get(&domain)?.stages, name.word())
}

pub fn mean(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    Moments::of(stage(run, domain, name)?).mean()
}

pub fn median(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    let stage = stage(run, domain, name)?;
    let median = stage.histogram.quantile(0.5, stage.min, stage.max)?;
    Some(median.value as f64)
}

/// Fewer calls say nothing of how they are spread.
pub const LEAST_CALLS: u64 = 30;

pub fn variance(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    let moments = Moments::of(stage(run, domain, name)?);
    moments.variance().filter(|_| moments.count >= LEAST_CALLS)
}

/// The distance of the quartiles.
pub fn quartiles(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    let stage = stage(run, domain, name).filter(|stage| stage.count >= LEAST_CALLS)?;
    let at = |share| {
        let quantile = stage.histogram.quantile(share, stage.min, stage.max);
        quantile.map(|quantile| quantile.value as f64)
    };
    Some(at(0.75)? - at(0.25)?)
}

pub fn calls(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    Some(stage(run, domain, name)?.count as f64)
}

/// All cycles in a stage.
pub fn sum(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    Some(stage(run, domain, name)?.sum as f64)
}

pub fn self_sum(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    Some(stage(run, domain, name)?.self_sum as f64)
}

fn less_probes(run: &Run, domain: Domain, name: Stage) -> Option<f64> {
    let stats = run.stats.get(&domain)?;
    let stage = called(&stats.stages, name.word())?;
    corrected(stats, stage, CostChoice::Hot)?.mean
}
