// SPDX-License-Identifier: GPL-2.0

//! Figures of each repetition, as claims compare them. A repetition that has none is NaN: tests leave
//! it out, and say so.

use xcap_abi::stage::Stage;

use super::decide::Side;
use crate::own_cycles::{named, Floor};
use crate::report::selection::Selection;
use crate::study::{mean, stage, Condition, Series};
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain};
use xcap_study::scenario::Scenario;

pub fn series(
    selection: &Selection,
    scenario: Scenario,
    figure: impl Fn(&Run) -> Option<f64>,
) -> Series {
    of(selection, selection.condition(scenario), figure)
}

fn of(selection: &Selection, condition: Condition, figure: impl Fn(&Run) -> Option<f64>) -> Series {
    let all = |run: &Run| Some(figure(run).unwrap_or(f64::NAN));
    selection.study.series(condition, all)
}

/// The cost of a call. Where reception may preempt a stage, what preempted it isn't its own: its
/// self time, less what the probes cost.
pub fn costs(
    selection: &Selection,
    scenario: Scenario,
    domain: Domain,
    name: Stage,
) -> Vec<Series> {
    if !name.runs_in_task() {
        return vec![series(selection, scenario, |run| mean(run, domain, name))];
    }
    let own = |run: &Run, floor| {
        let calls = stage(run, domain, name)?.self_count as f64;
        Some(named(run, domain, name.word(), floor)? / calls)
    };
    let each = Floor::ALL.map(|floor| series(selection, scenario, |run| own(run, floor)));
    each.into()
}

/// Self time of stages together, a frame that came to dom0.
pub fn own_a_frame<'a>(
    selection: &Selection,
    scenario: Scenario,
    domain: Domain,
    name: &'a str,
    stages: &[Stage],
) -> Side<'a> {
    let own = |run: &Run, floor| {
        let each = stages
            .iter()
            .map(|stage| named(run, domain, stage.word(), floor));
        // A stage that this kernel has no function for takes nothing.
        let sum: f64 = each.flatten().sum();
        Some(sum / run.frames.at(domain) as f64)
    };
    let floors = Floor::ALL.map(|floor| series(selection, scenario, |run| own(run, floor)));
    Side {
        name,
        floors: floors.into(),
    }
}

pub fn captured_share(selection: &Selection, scenario: Scenario, buffer: Buffer) -> Series {
    let condition = Condition {
        buffer,
        ..selection.condition(scenario)
    };
    of(selection, condition, |run| {
        Some(run.frames.captured as f64 / run.frames.sent as f64)
    })
}
