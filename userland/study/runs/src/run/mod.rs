// SPDX-License-Identifier: GPL-2.0

//! Runs the study: in the lab, or on machines that commands reach.

mod lab;
mod plan;
mod progress;
mod reached;
mod session;

use std::path::PathBuf;

use anyhow::{bail, Context, Result};

use crate::frames::Frames;
use crate::layout;
use crate::load;
use crate::part::Task;
use crate::run_id::{Buffer, Environment, RunId};
use crate::scenario::Scenario;

use plan::{plan, Block};
use progress::Progress;
pub use reached::Commands;
use session::{perform, Bench};

/// What is to be run.
pub struct Study {
    pub results: PathBuf,
    pub environments: Vec<Environment>,
    pub scenarios: Vec<Scenario>,
    pub buffers: Vec<Buffer>,
    pub repetitions: u32,
    pub frames: u64,
    /// Environments that may turn out not to be had here: left out then, and no error.
    pub optional: Vec<Environment>,
}

/// Runs what isn't there yet. Without `commands`, in the lab.
pub fn run(study: &Study, commands: Option<&Commands>) -> Result<()> {
    std::fs::create_dir_all(&study.results)
        .with_context(|| format!("cannot make '{}'", study.results.display()))?;
    layout::sweep(&study.results)?;
    let mut blocks = plan(study);
    let all: usize = blocks.iter().map(|block| block.runs.len()).sum();
    for block in &mut blocks {
        block.runs = missing(study, &block.runs)?;
    }
    blocks.retain(|block| !block.runs.is_empty());
    let left = blocks.iter().map(|block| block.runs.len()).sum();
    let progress = Progress::new(all, left);
    if left == 0 {
        return Ok(());
    }
    let mut bench = match commands {
        Some(commands) => Bench::Machines(commands),
        None => Bench::Lab(lab::Makings::prepare()?),
    };
    let mut broken = Vec::new();
    for block in &blocks {
        if broken.contains(&block.environment) {
            continue;
        }
        if let Err(error) = run_block(study, block, &mut bench, &progress) {
            progress.say(&format!("{} left out: {error:#}", block.environment.name()));
            broken.push(block.environment);
        }
    }
    progress.end();
    broken.retain(|environment| !study.optional.contains(environment));
    if !broken.is_empty() {
        let names: Vec<&str> = broken
            .iter()
            .map(|environment| environment.name())
            .collect();
        bail!(
            "not all was run ({}); what was is kept, and the same command goes on",
            names.join(", ")
        );
    }
    Ok(())
}

/// Runs that have no results yet.
fn missing(study: &Study, runs: &[RunId]) -> Result<Vec<RunId>> {
    let mut missing = Vec::new();
    for run in runs {
        if !study.results.join(run.path()).exists() {
            missing.push(*run);
            continue;
        }
        let there = load::frames(&study.results, *run)?;
        if there.frames != study.frames {
            bail!(
                "'{}' holds a run of {} frames, not {}: choose another --results, or move it away",
                study.results.join(run.path()).display(),
                there.frames,
                study.frames
            );
        }
    }
    Ok(missing)
}

/// Runs on one start of the machines, or on several, should they die.
fn run_block(study: &Study, block: &Block, bench: &mut Bench, progress: &Progress) -> Result<()> {
    let mut left = block.runs.as_slice();
    let mut attempt = 1;
    while let Some(&next) = left.first() {
        match run_some(study, block.environment, &mut left, bench, progress) {
            Ok(()) => {}
            Err(error) if left.first() == Some(&next) && attempt >= bench.attempts() => {
                return Err(error)
            }
            Err(error) => {
                attempt = if left.first() == Some(&next) {
                    attempt + 1
                } else {
                    2
                };
                progress.say(&format!("{}: {error:#}\ntrying again", left[0]));
            }
        }
    }
    Ok(())
}

/// Runs until all are done or one fails; `left` tells how far it came.
fn run_some(
    study: &Study,
    environment: Environment,
    left: &mut &[RunId],
    bench: &mut Bench,
    progress: &Progress,
) -> Result<()> {
    progress.at(&format!("{}: starting the machines", environment.name()));
    let mut machines = bench.start(environment)?;
    while let [run, rest @ ..] = *left {
        progress.at(&run.to_string());
        let task = Task {
            scenario: run.scenario,
            buffer: run.buffer,
            repetition: run.repetition,
            frames: study.frames,
        };
        let parts = match perform(&machines, task) {
            Ok(parts) => parts,
            Err(error) => return Err(machines.explain(error)),
        };
        let frames = layout::write(&study.results, *run, &parts, bench.lab())?;
        progress.finished(&told(&frames));
        *left = rest;
    }
    machines.check()
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
