// SPDX-License-Identifier: GPL-2.0

//! What the probes themselves cost, taken off the means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::Moments;
use crate::stats::{Cost, Stage, Stats};

/// Which measured cost of the probes is taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Values less the probes' own cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Corrected {
    /// What the stage's own probe adds to each sample.
    pub floor: f64,
    /// How much more it may add, by how calibration's own batches differ and by how deep the
    /// function is called: the means may be too great by so much.
    pub floor_uncertainty: f64,
    pub mean: Option<f64>,
    pub self_mean: Option<f64>,
    pub cycles_per_work: Option<f64>,
}

/// The measured cost that applies to `stage`.
pub fn cost_of<'a>(stats: &'a Stats, stage: &Stage, choice: CostChoice) -> Option<&'a Cost> {
    let (backend, cache) = (stage.backend.as_deref()?, choice.cache()?);
    stats
        .costs
        .iter()
        .find(|cost| cost.backend == backend && cost.cache == cache && cost.samples > 0)
}

/// How much more than `cost` says a probe of the backend may add to a sample, where that was measured.
fn uncertainty(stats: &Stats, cost: &Cost) -> f64 {
    let each = |cost: &Cost| {
        let inside = cost.inside_quartile.unwrap_or(cost.inside);
        inside as f64 / cost.samples as f64
    };
    let alike = stats.costs.iter().filter(|other| other.is_like(cost));
    let most = alike.map(each).fold(each(cost), f64::max);
    most - cost.inside as f64 / cost.samples as f64
}

/// Means less the floor of the stage's own probe and the cost of the probes nested in it.
///
/// The module adds nested costs up over the calls that have a self time, and
/// what it says of them is taken for all; without such calls nothing is told.
pub fn correct(stats: &Stats, stage: &Stage, cost: &Cost) -> Corrected {
    let floor = cost.inside as f64 / cost.samples as f64;
    let less = |mean: Option<f64>, nested: u128| {
        let each = nested as f64 / stage.self_count as f64;
        mean.filter(|_| stage.self_count > 0)
            .map(|mean| mean - floor - each)
    };
    let mean = less(Moments::of(stage).mean(), stage.nested_cost);
    let calls_per_work = stage.count as f64 / stage.work as f64;
    Corrected {
        floor,
        floor_uncertainty: uncertainty(stats, cost),
        mean,
        self_mean: less(Moments::self_mean(stage), stage.nested_outside),
        cycles_per_work: mean
            .filter(|_| stage.work > 0)
            .map(|mean| mean * calls_per_work),
    }
}
