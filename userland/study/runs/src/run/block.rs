// SPDX-License-Identifier: GPL-2.0

//! The runs on one start of the machines.

use std::collections::BTreeSet;

use anyhow::{bail, Context, Result};

use super::plan::{Block, Plan};
use super::progress::Progress;
use super::recording::{Machines, Source};
use super::session::{perform, perform_marked};
use crate::frames::Frames;
use crate::marked;
use crate::part::{environment, Parts, Task};
use crate::run_id::{Environment, RunId};

/// Runs on one start of the machines, or on several, should they die.
pub fn run_block(
    plan: &Plan,
    block: &Block,
    source: &dyn Source,
    progress: &Progress,
) -> Result<()> {
    let mut left = block.runs.as_slice();
    let mut attempt = 1;
    while let Some(&next) = left.first() {
        match run_some(plan, block.environment, &mut left, source, progress) {
            Ok(()) => {}
            Err(error) if left.first() == Some(&next) && attempt >= source.attempts() => {
                return Err(error)
            }
            Err(error) => {
                let Some(&failed) = left.first() else {
                    return Err(error);
                };
                attempt = if failed == next { attempt + 1 } else { 2 };
                progress.say(&format!("{failed}: {error:#}\ntrying again"));
            }
        }
    }
    Ok(())
}

/// Runs until all are done or one fails; `left` tells how far it came.
fn run_some(
    plan: &Plan,
    environment: Environment,
    left: &mut &[RunId],
    source: &dyn Source,
    progress: &Progress,
) -> Result<()> {
    progress.at(&format!("{}: starting the machines", environment.name()));
    let mut machines = source.start(environment)?;
    let mut told = BTreeSet::new();
    while let [run, rest @ ..] = *left {
        progress.at(&run.to_string());
        let (frames, warnings) = match run_one(plan, *run, &*machines, source) {
            Ok(made) => made,
            Err(error) => return Err(machines.explain(error)),
        };
        for warning in warnings.difference(&told) {
            progress.say(warning);
        }
        told.extend(warnings);
        progress.finished(&counted(&frames));
        *left = rest;
    }
    machines.check()
}

fn run_one(
    plan: &Plan,
    run: RunId,
    machines: &dyn Machines,
    source: &dyn Source,
) -> Result<(Frames, BTreeSet<String>)> {
    let task = Task {
        scenario: run.scenario,
        buffer: run.buffer,
        repetition: run.repetition,
        frames: plan.frames_of(run.scenario),
        gap_ns: None,
    };
    let parts = perform(machines, task)?;
    let found = environment(&parts)?;
    if found != run.environment {
        bail!(
            "these machines are {0}, not {1}: --environments {0}",
            found.name(),
            run.environment.name()
        );
    }
    let frames = plan
        .layout
        .write(&plan.results, run, &parts, source.emulator())?;
    if plan.marks > 0 {
        let task = Task {
            frames: plan.marks,
            ..task
        };
        let marked = perform_marked(machines, task).context("the run of numbered frames")?;
        marked::keep(&plan.folder(run), run, marked)?;
    }
    Ok((frames, warnings(&parts)))
}

/// What the machines' settings do to the figures.
fn warnings(parts: &Parts) -> BTreeSet<String> {
    let each = parts.iter().flat_map(|(role, part)| {
        let told = part.machine.warnings(part.time);
        told.into_iter()
            .map(move |warning| format!("{role}: {warning}"))
    });
    each.collect()
}

fn counted(frames: &Frames) -> String {
    let Frames {
        run,
        sent,
        captured,
        ..
    } = frames;
    format!("{run}: {sent} sent, {captured} captured")
}
