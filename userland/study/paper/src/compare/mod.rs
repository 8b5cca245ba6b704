// SPDX-License-Identifier: GPL-2.0

//! Two results folders, stage by stage: of two kernels, or of two settings.

mod figure;
mod format;
mod judge;
mod show;

use std::collections::BTreeSet;

use anyhow::{bail, Result};
use xcap_study::load::Run;

use figure::Place;
pub use format::{Comparison, Line, Question, Verdict};
use judge::{judge, Sides};
pub use show::text;

/// Version of what `--json` prints.
const FORMAT: u32 = 1;

pub fn compare(old: &[Run], new: &[Run], question: &Question) -> Result<Comparison> {
    let worlds: BTreeSet<_> = old.iter().chain(new).map(|run| run.testbed.world).collect();
    let mut worlds = worlds.into_iter();
    let (Some(world), None) = (worlds.next(), worlds.next()) else {
        bail!("the runs are of emulated and of real processors, whose cycles don't compare: --results of one kind");
    };
    let units: BTreeSet<_> = old.iter().chain(new).map(|run| run.testbed.unit).collect();
    let mut units = units.into_iter();
    let (Some(unit), None) = (units.next(), units.next()) else {
        bail!("some runs count instructions and some cycles, which don't compare: --results of one kind");
    };
    let mut left_out = Vec::new();
    let places = figure::places(old, new, &mut left_out);
    if places.is_empty() {
        bail!("the two folders have no environment, scenario and buffer in common: nothing to compare");
    }
    let groups: Vec<Vec<Place>> = match question.each {
        true => places.into_iter().map(|place| vec![place]).collect(),
        false => figure::by_environment(places),
    };
    let mut lines = Vec::new();
    for group in &groups {
        for &domain in group[0].environment.domains() {
            for stage in figure::stages(old, new, group, domain) {
                let sides = Sides { old, new, group };
                lines.extend(judge(&sides, domain, &stage, question, &mut left_out));
            }
        }
    }
    judge::together(&mut lines, question);
    let failed = lines.iter().any(|line| line.exceeds);
    let kernels = |runs: &[Run]| {
        let machines = runs.iter().flat_map(|run| &run.testbed.machines);
        let measured = machines.filter(|(role, _)| **role != xcap_study::role::Role::Sender);
        measured
            .map(|(_, machine)| machine.kernel.clone())
            .collect()
    };
    left_out.sort();
    left_out.dedup();
    Ok(Comparison {
        format: FORMAT,
        world: crate::report::world_word(world).to_lowercase(),
        unit,
        old_kernels: kernels(old),
        new_kernels: kernels(new),
        margin: question.margin,
        fail_above: question.fail_above,
        lines,
        left_out,
        failed,
    })
}
