// SPDX-License-Identifier: GPL-2.0

//! Reads results back, and trusts none of them unseen.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde::de::DeserializeOwned;
use xcap_read::{Options, Report, Stats};

use crate::environment::Surroundings;
use crate::frames::Frames;
use crate::part::FORMAT;
use crate::run_id::{Buffer, Domain, Environment, RunId};

/// One run of the study, checked.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: RunId,
    pub frames: Frames,
    pub surroundings: Surroundings,
    /// What each machine's xcap measured from before the first frame to after the last.
    pub stats: BTreeMap<Domain, Stats>,
}

/// All runs below a folder, in the order of their names.
pub fn all(results: &Path) -> Result<Vec<Run>> {
    if !results.is_dir() {
        bail!(
            "there are no results at '{}': xcap-paper run makes some",
            results.display()
        );
    }
    let mut runs = Vec::new();
    for environment in Environment::ALL {
        for scenario in names(&results.join(environment.name()))? {
            let folder = results.join(environment.name()).join(&scenario);
            let scenario = scenario.parse().map_err(|fault| foreign(&folder, fault))?;
            for name in names(&folder)? {
                let (buffer, repetition) = parse_name(&name).ok_or_else(|| {
                    foreign(&folder.join(&name), "not named <buffer>-<number>".into())
                })?;
                runs.push(one(
                    results,
                    RunId {
                        environment,
                        scenario,
                        buffer,
                        repetition,
                    },
                )?);
            }
        }
    }
    if runs.is_empty() {
        bail!(
            "there are no results at '{}': xcap-paper run makes some",
            results.display()
        );
    }
    runs.sort_by_key(|run| run.id);
    Ok(runs)
}

fn foreign(path: &Path, fault: String) -> anyhow::Error {
    anyhow::anyhow!(
        "'{}' doesn't belong to the results: {fault}",
        path.display()
    )
}

fn parse_name(name: &str) -> Option<(Buffer, u32)> {
    let (buffer, repetition) = name.split_once('-')?;
    let buffer = Buffer::ALL
        .into_iter()
        .find(|known| known.name() == buffer)?;
    Some((buffer, repetition.parse().ok()?))
}

/// Names of the folders in a folder, sorted; hidden ones are of runs under way.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if !folder.exists() {
        return Ok(names);
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read '{}'", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A run's frames.json.
pub fn frames(results: &Path, run: RunId) -> Result<Frames> {
    let path = results.join(run.path()).join("frames.json");
    let frames: Frames = json(&path)?;
    version(&path, frames.format)?;
    if frames.run != run {
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

fn one(results: &Path, id: RunId) -> Result<Run> {
    let folder = results.join(id.path());
    let frames = frames(results, id)?;
    let path = folder.join("environment.json");
    let surroundings: Surroundings = json(&path)?;
    version(&path, surroundings.format)?;
    if surroundings.run != id {
        bail!(
            "'{}' is of another run, {}",
            path.display(),
            surroundings.run
        );
    }
    let mut stats = BTreeMap::new();
    for &domain in id.environment.domains() {
        let before = reading(&folder.join("before"), domain)?;
        let after = reading(&folder.join("after"), domain)?;
        let measured = xcap_read::difference(&before, &after)
            .map_err(plain)
            .with_context(|| format!("'{}': {domain}", folder.display()))?;
        stats.insert(domain, measured);
    }
    Ok(Run {
        id,
        frames,
        surroundings,
        stats,
    })
}

/// A domain's stats, as text and as JSON, which have to say the same.
fn reading(folder: &Path, domain: Domain) -> Result<Stats> {
    let text = folder.join(format!("{domain}.stats"));
    let stats = xcap_read::load(&text).map_err(plain)?;
    if !domain.fits(&stats.role) {
        bail!("'{}' is of {}, not of {domain}", text.display(), stats.role);
    }
    let path = folder.join(format!("{domain}.json"));
    let report: Report = json(&path)?;
    let made = Report::new(&stats, Options::default());
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
            text.display()
        );
    }
    Ok(stats)
}

/// Its text names its cause already.
fn plain(error: xcap_read::Error) -> anyhow::Error {
    anyhow::Error::msg(error.to_string())
}

fn json<T: DeserializeOwned>(path: &PathBuf) -> Result<T> {
    let bytes = fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let fault = if error.is_eof() {
            "is cut short"
        } else {
            "isn't what xcap-paper writes"
        };
        anyhow::anyhow!("'{}' {fault}: {error}", path.display())
    })
}

fn version(path: &Path, format: u32) -> Result<()> {
    if format != FORMAT {
        bail!(
            "'{}' is of version {format}; this xcap-paper knows {FORMAT}",
            path.display()
        );
    }
    Ok(())
}
