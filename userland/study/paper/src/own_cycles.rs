// SPDX-License-Identifier: GPL-2.0

//! A stage's self time in a run, less what the probes cost: within bounds, since their cost is known
//! within bounds.

use crate::called::called;
use xcap_stats::{corrected, CostChoice, Stage, Stats};
use xcap_study::load::Run;
use xcap_study::run_id::Domain;

/// What the probes are taken to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// What the cheapest batch of calibration did.
    Least,
    /// What its dearer batches, deeper calls and cold caches did.
    Most,
}

impl Floor {
    pub const ALL: [Self; 2] = [Self::Least, Self::Most];
}

/// Self time of all calls that have one, cycles; raw where the probe's cost is not known.
pub fn of_stage(stats: &Stats, stage: &Stage, floor: Floor) -> f64 {
    let calls = stage.self_count as f64;
    let mean = |choice| Some(corrected(stats, stage, choice)?.self_mean? * calls);
    let hot = corrected(stats, stage, CostChoice::Hot);
    let less = hot.map_or(0.0, |hot| hot.floor_uncertainty * calls);
    match (floor, mean(CostChoice::Hot)) {
        (_, None) => stage.self_sum as f64,
        (Floor::Least, Some(cycles)) => cycles,
        (Floor::Most, Some(cycles)) => {
            let cold = mean(CostChoice::Cold).unwrap_or(cycles);
            (cycles - less).min(cold)
        }
    }
}

/// The same of a stage by its name; none, where this kernel has no function for it.
pub fn named(run: &Run, domain: Domain, name: &str, floor: Floor) -> Option<f64> {
    let (stats, stage) = find(run, domain, name)?;
    Some(of_stage(stats, stage, floor))
}

/// … of one call, among those that have one.
pub fn a_call(run: &Run, domain: Domain, name: &str, floor: Floor) -> Option<f64> {
    let (stats, stage) = find(run, domain, name)?;
    Some(of_stage(stats, stage, floor) / stage.self_count as f64)
}

fn find<'a>(run: &'a Run, domain: Domain, name: &str) -> Option<(&'a Stats, &'a Stage)> {
    let stats = run.stats.get(&domain)?;
    Some((stats, called(&stats.stages, name)?))
}

/// Of all stages together.
pub fn all(run: &Run, domain: Domain, floor: Floor) -> Option<f64> {
    let stats = run.stats.get(&domain)?;
    let there = stats.stages.iter().filter(|stage| stage.function.is_some());
    Some(there.map(|stage| of_stage(stats, stage, floor)).sum())
}

/// What all probes of the run cost, within the samples and beside them.
pub fn probes(stats: &Stats) -> f64 {
    let each = stats.stages.iter().filter_map(|stage| {
        let backend = stage.backend.as_deref()?;
        let cost = stats
            .costs
            .iter()
            .find(|cost| cost.backend == backend && cost.cache == "hot")?;
        let a_hit = (cost.inside + cost.outside) as f64 / cost.samples.max(1) as f64;
        Some(a_hit * stage.entries as f64)
    });
    each.sum()
}

/// Self time of all stages in a run, less what an idle machine's would be in as long a time.
pub fn beyond_idle(run: &Run, domain: Domain, floor: Floor) -> Option<f64> {
    let busy = all(run, domain, floor)?;
    let part = run.parts.get(&domain.into());
    let idle = part.and_then(|part| {
        let (time, idle) = (part.time?, part.idle.as_ref()?);
        let stats = idle.measured()?;
        let there = stats.stages.iter().filter(|stage| stage.function.is_some());
        let cycles: f64 = there.map(|stage| of_stage(&stats, stage, floor)).sum();
        Some(cycles * time.window_ns as f64 / idle.time.window_ns as f64)
    });
    Some(busy - idle.unwrap_or(0.0))
}
