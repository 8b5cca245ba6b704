// SPDX-License-Identifier: GPL-2.0

//! What the probes themselves cost, taken off the means.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::report::Corrected;
use crate::{Cost, Stage, Stats};

/// Which measured cost of the probes is taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostChoice {
    /// As in a loop that does nothing else.
    #[default]
    Hot,
    /// With the probe's code and data out of the caches.
    Cold,
    /// Nothing is taken off.
    None,
}

impl CostChoice {
    fn cache(self) -> Option<&'static str> {
        match self {
            Self::Hot => Some("hot"),
            Self::Cold => Some("cold"),
            Self::None => None,
        }
    }
}

/// The measured cost that applies to `stage`.
pub fn cost_of<'a>(stats: &'a Stats, stage: &Stage, choice: CostChoice) -> Option<&'a Cost> {
    let (backend, cache) = (stage.backend.as_deref()?, choice.cache()?);
    stats
        .costs
        .iter()
        .find(|cost| cost.backend == backend && cost.cache == cache && cost.samples > 0)
}

/// Means less the floor of the stage's own probe and the cost of the probes nested in it.
pub fn correct(stage: &Stage, cost: &Cost) -> Corrected {
    let floor = cost.inside as f64 / cost.samples as f64;
    let each = |total: u128, count: u64| total as f64 / count as f64;
    let count = stage.moments.count;
    let mean = stage
        .moments
        .mean()
        .map(|mean| mean - floor - each(stage.nested_cost, count));
    let self_mean = stage
        .self_moments
        .mean()
        .map(|mean| mean - floor - each(stage.nested_outside, stage.self_moments.count));
    let cycles_per_work = mean
        .filter(|_| stage.work > 0)
        .map(|mean| mean * count as f64 / stage.work as f64);
    Corrected {
        floor,
        mean,
        self_mean,
        cycles_per_work,
    }
}
