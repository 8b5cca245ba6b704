// SPDX-License-Identifier: GPL-2.0

//! A whole study, gone on with where it was stopped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{bail, Context, Result};

use super::block::run_block;
use super::plan::{Block, Plan};
use super::progress::Progress;
use super::recording::Source;
use crate::layout;
use crate::load;
use crate::run_id::{Environment, RunId};

/// Makes the runs that aren't there yet; the source of machines is asked for only if some aren't.
pub fn run_missing(plan: &Plan, source: impl FnOnce() -> Result<Box<dyn Source>>) -> Result<()> {
    std::fs::create_dir_all(&plan.results)
        .with_context(|| format!("cannot make '{}'", plan.results.display()))?;
    layout::sweep(&plan.results)?;
    let mut blocks = plan.blocks();
    let all: usize = blocks.iter().map(|block| block.runs.len()).sum();
    for block in &mut blocks {
        block.runs = missing(plan, &block.runs)?;
    }
    blocks.retain(|block| !block.runs.is_empty());
    let left = blocks.iter().map(|block| block.runs.len()).sum();
    let progress = Progress::new(all, left);
    if left == 0 {
        return Ok(());
    }
    let source = source()?;
    let mut broken = run_all(plan, &blocks, &*source, &progress);
    progress.end();
    broken.retain(|environment| !plan.optional.contains(environment));
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

/// Runs the blocks, as many at once as the source allows; gives the environments that can't be run.
fn run_all(
    plan: &Plan,
    blocks: &[Block],
    source: &dyn Source,
    progress: &Progress,
) -> Vec<Environment> {
    let broken = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let locked = || broken.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if locked().contains(&block.environment) {
                continue;
            }
            if let Err(error) = run_block(plan, block, source, progress) {
                progress.say(&format!("{} left out: {error:#}", block.environment.name()));
                locked().push(block.environment);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..source.at_once().min(blocks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    broken.dedup();
    broken
}

/// Runs that have no results yet.
fn missing(plan: &Plan, runs: &[RunId]) -> Result<Vec<RunId>> {
    let mut missing = Vec::new();
    for &run in runs {
        let folder = plan.folder(run);
        if !folder.exists() {
            missing.push(run);
            continue;
        }
        let there = load::frames(&folder)?;
        if there.frames != plan.frames_of(run.scenario) {
            bail!(
                "'{}' holds a run of {} frames, not {}: choose another --results, or move it away",
                folder.display(),
                there.frames,
                plan.frames_of(run.scenario)
            );
        }
    }
    Ok(missing)
}
