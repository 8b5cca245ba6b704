// SPDX-License-Identifier: GPL-2.0

//! Figures of each repetition, as claims compare them.

use xcap_abi::stage::Stage;

use crate::report::selection::Selection;
use crate::study::{mean, Condition, Series};
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain};
use xcap_study::scenario::Scenario;

pub fn series(
    selection: &Selection,
    scenario: Scenario,
    figure: impl Fn(&Run) -> Option<f64>,
) -> Series {
    selection
        .study
        .series(selection.condition(scenario), figure)
}

pub fn means(selection: &Selection, scenario: Scenario, domain: Domain, stage: Stage) -> Series {
    series(selection, scenario, |run| mean(run, domain, stage))
}

pub fn captured_share(selection: &Selection, scenario: Scenario, buffer: Buffer) -> Series {
    let condition = Condition {
        buffer,
        ..selection.condition(scenario)
    };
    selection.study.series(condition, |run| {
        Some(run.frames.captured as f64 / run.frames.sent as f64)
    })
}
