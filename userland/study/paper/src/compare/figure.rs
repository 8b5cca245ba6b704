// SPDX-License-Identifier: GPL-2.0

//! What is compared: runs of the same kind, and a figure of each.

use std::collections::BTreeSet;

use xcap_abi::stage::Stage;
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::Scenario;

use crate::own_cycles::{self, Floor};

/// In place of a stage's name: all of them.
pub const ALL_STAGES: &str = "all";

/// What both folders have runs of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub environment: Environment,
    pub scenario: Scenario,
    pub buffer: Buffer,
}

impl Place {
    fn of(run: &Run) -> Self {
        Self {
            environment: run.id.environment,
            scenario: run.id.scenario,
            buffer: run.id.buffer,
        }
    }

    pub fn words(&self) -> String {
        format!(
            "{} {} {}",
            self.environment.name(),
            self.scenario,
            self.buffer
        )
    }

    pub fn runs<'a>(&self, runs: &'a [Run]) -> impl Iterator<Item = &'a Run> + use<'a> {
        let place = *self;
        runs.iter().filter(move |run| Self::of(run) == place)
    }
}

/// Those that both have; the others are told in `left_out`.
pub fn places(old: &[Run], new: &[Run], left_out: &mut Vec<String>) -> Vec<Place> {
    let all = |runs: &[Run]| runs.iter().map(Place::of).collect::<BTreeSet<_>>();
    let (old, new) = (all(old), all(new));
    for (place, folder) in old
        .difference(&new)
        .map(|place| (place, "OLD"))
        .chain(new.difference(&old).map(|place| (place, "NEW")))
    {
        left_out.push(format!("{}: only {folder} has it", place.words()));
    }
    old.intersection(&new).copied().collect()
}

pub fn by_environment(places: Vec<Place>) -> Vec<Vec<Place>> {
    let mut groups: Vec<Vec<Place>> = Vec::new();
    for place in places {
        match groups.last_mut() {
            Some(group) if group[0].environment == place.environment => group.push(place),
            _ => groups.push(vec![place]),
        }
    }
    groups
}

/// Stages that had calls, in the module's order, and their sum.
pub fn stages(old: &[Run], new: &[Run], group: &[Place], domain: Domain) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for run in group
        .iter()
        .flat_map(|place| place.runs(old).chain(place.runs(new)))
    {
        let stages = run
            .stats
            .get(&domain)
            .into_iter()
            .flat_map(|stats| &stats.stages);
        for stage in stages.filter(|stage| stage.count > 0) {
            if !names.contains(&stage.stage) {
                names.push(stage.stage.clone());
            }
        }
    }
    names.push(ALL_STAGES.into());
    names
}

/// Self time a frame: one that came to the machine or, of what serves those alone that were captured, one of these.
pub fn figure(run: &Run, domain: Domain, stage: &str, floor: Floor) -> Option<f64> {
    let came = run.frames.at(domain) as f64;
    let figure = match stage {
        ALL_STAGES => own_cycles::all(run, domain, floor)? / came,
        // How many are captured in overload is chance, and no cost: a call serves one, and those that slept have no
        // self time.
        stage if is_after_the_socket(stage) => own_cycles::a_call(run, domain, stage, floor)?,
        stage => own_cycles::named(run, domain, stage, floor)? / came,
    };
    // What is no more than the probe's own has no logarithm.
    (figure.is_finite() && figure > 0.0).then_some(figure)
}

fn is_after_the_socket(stage: &str) -> bool {
    matches!(Stage::parse(stage), Some(Stage::Recvmsg | Stage::CopyUser))
}
