// SPDX-License-Identifier: GPL-2.0

//! The runs on one start of the machines.

use anyhow::{bail, Context, Result};

use super::plan::{Block, Plan};
use super::progress::Progress;
use super::recording::{Machines, Source};
use super::session::{perform, perform_marked};
use crate::frames::Frames;
use crate::marked;
use crate::part::{environment, Task};
use crate::run_id::{Environment, RunId};

/// Runs on one start of the machines, or on several, should they die.
pub fn run_block(
    plan: &Plan,
    block: &Block,
    source: &mut dyn Source,
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
    source: &mut dyn Source,
    progress: &Progress,
) -> Result<()> {
    progress.at(&format!("{}: starting the machines", environment.name()));
    let mut machines = source.start(environment)?;
    while let [run, rest @ ..] = *left {
        progress.at(&run.to_string());
        let frames = match run_one(plan, *run, &*machines, source) {
            Ok(frames) => frames,
            Err(error) => return Err(machines.explain(error)),
        };
        progress.finished(&told(&frames));
        *left = rest;
    }
    machines.check()
}

fn run_one(
    plan: &Plan,
    run: RunId,
    machines: &dyn Machines,
    source: &dyn Source,
) -> Result<Frames> {
    let task = Task {
        scenario: run.scenario,
        buffer: run.buffer,
        repetition: run.repetition,
        frames: plan.frames,
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
    Ok(frames)
}

fn told(frames: &Frames) -> String {
    let Frames {
        run,
        sent,
        captured,
        ..
    } = frames;
    format!("{run}: {sent} sent, {captured} captured")
}
