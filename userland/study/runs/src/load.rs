// SPDX-License-Identifier: GPL-2.0

//! Reads results back, and trusts none of them unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use xcap_stats::{Report, Stats};

use crate::find;
use crate::format;
use crate::frames::Frames;
use crate::layout::{self, AFTER, BEFORE, FRAMES, PARTS, TESTBED};
use crate::part::{Part, Parts, Task};
use crate::role::Role;
use crate::run_id::{Domain, RunId};
use crate::testbed::Testbed;

/// One run, checked.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: RunId,
    pub frames: Frames,
    pub testbed: Testbed,
    /// What each machine's xcap measured from before the first frame to after the last.
    pub stats: BTreeMap<Domain, Stats>,
    /// What each machine recorded, where it was kept.
    pub parts: Parts,
}

/// All runs below a folder, in the order of what they are of.
pub fn all(results: &Path) -> Result<Vec<Run>> {
    let mut runs = BTreeMap::<RunId, (PathBuf, Run)>::new();
    for folder in find::runs(results)? {
        let run = one(&folder)?;
        if let Some((other, _)) = runs.get(&run.id) {
            bail!(
                "'{}' and '{}' are both of {}: one has to go",
                other.display(),
                folder.display(),
                run.id
            );
        }
        runs.insert(run.id, (folder, run));
    }
    Ok(runs.into_values().map(|(_, run)| run).collect())
}

/// The folders of all runs below a folder.
pub fn folders(results: &Path) -> Result<Vec<PathBuf>> {
    find::runs(results)
}

/// The run in this folder.
pub fn one(folder: &Path) -> Result<Run> {
    let frames = frames(folder)?;
    let id = frames.run;
    let path = folder.join(TESTBED);
    let testbed: Testbed = format::read(&path, "description of a run's machines")?;
    if testbed.run != id {
        bail!("'{}' is of another run, {}", path.display(), testbed.run);
    }
    let mut stats = BTreeMap::new();
    for &domain in id.environment.domains() {
        let before = reading(&folder.join(BEFORE), domain)?;
        let after = reading(&folder.join(AFTER), domain)?;
        let measured = xcap_stats::difference(&before, &after)
            .map_err(plain)
            .with_context(|| format!("'{}': {domain}", folder.display()))?;
        let path = folder.join(format!("{domain}.json"));
        agree(&path, &measured, &folder.join(AFTER))?;
        stats.insert(domain, measured);
    }
    let parts = parts(folder, id)?;
    Ok(Run {
        id,
        frames,
        testbed,
        stats,
        parts,
    })
}

fn parts(folder: &Path, id: RunId) -> Result<Parts> {
    let mut parts = Parts::new();
    for role in Role::ALL {
        let path = folder.join(PARTS).join(format!("{role}.json"));
        if path.exists() {
            let part: Part = format::read(&path, "part that xcap-paper recorded")?;
            let Task {
                scenario,
                buffer,
                repetition,
                ..
            } = part.task;
            if part.role != role
                || (scenario, buffer, repetition) != (id.scenario, id.buffer, id.repetition)
            {
                bail!("'{}' is of another run or machine", path.display());
            }
            parts.insert(role, part);
        }
    }
    Ok(parts)
}

/// The account of the frames of the run in this folder.
pub fn frames(folder: &Path) -> Result<Frames> {
    let path = folder.join(FRAMES);
    let frames: Frames = format::read(&path, "account of a run's frames")?;
    if belongs(folder).is_some_and(|run| run != frames.run) {
        bail!("'{}' is of another run, {}", path.display(), frames.run);
    }
    let sums = frames
        .hops
        .iter()
        .all(|hop| hop.came.saturating_sub(hop.lost()) == hop.passed);
    let ends = frames.hops.first().map(|hop| hop.came) == Some(frames.sent)
        && frames.hops.last().map(|hop| hop.passed) == Some(frames.captured);
    if !sums || !ends {
        bail!(
            "'{}' contradicts itself: its hops don't add up",
            path.display()
        );
    }
    Ok(frames)
}

/// The run whose place this is; none: anyone's.
fn belongs(folder: &Path) -> Option<RunId> {
    let mut names = folder.iter().rev().take(3).map(|name| name.to_str());
    let (last, middle, first) = (names.next()??, names.next()??, names.next()??);
    format!("{first}/{middle}/{last}").parse().ok()
}

/// A domain's stats, as text and as JSON, which have to say the same.
fn reading(folder: &Path, domain: Domain) -> Result<Stats> {
    let text = folder.join(format!("{domain}.stats"));
    let stats = xcap_stats::load(&text).map_err(plain)?;
    if !domain.fits(&stats.role) {
        bail!("'{}' is of {}, not of {domain}", text.display(), stats.role);
    }
    agree(&folder.join(format!("{domain}.json")), &stats, &text)?;
    Ok(stats)
}

/// An error unless the report at `path` is one of `stats`, which are from `source`.
fn agree(path: &Path, stats: &Stats, source: &Path) -> Result<()> {
    let report: Report = format::json(path, "report of xcap-read")?;
    let made = layout::report(stats);
    let same = report.kernel == made.kernel
        && report.role == made.role
        && report.stages.len() == made.stages.len()
        && report.stages.iter().zip(&made.stages).all(|(one, other)| {
            (&one.stage, one.count, one.sum, one.sumsq)
                == (&other.stage, other.count, other.sum, other.sumsq)
        });
    if !same {
        bail!(
            "'{}' and '{}' contradict each other",
            path.display(),
            source.display()
        );
    }
    Ok(())
}

/// Its text names its cause already.
fn plain(error: xcap_stats::Error) -> anyhow::Error {
    anyhow::Error::msg(error.to_string())
}
