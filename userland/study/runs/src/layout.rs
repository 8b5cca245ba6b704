// SPDX-License-Identifier: GPL-2.0

//! Place results lie.
//!
//! ```text
//! <run>/
//!     <domain>.json           what `xcap-read --json` shows of the run in this domain
//!     before/<domain>.stats   xcap's `stats` before the first frame
//!     before/<domain>.json    what `xcap-read --json` makes of it
//!     after/<domain>.stats    … after the last
//!     after/<domain>.json
//!     frames.json             the frames, hop by hop
//!     environment.json        kernel, Xen, QEMU, CPU; emulated or real
//!     parts/<role>.json       what each machine recorded, as it was
//! ```
//!
//! A run's folder appears all at once, when all of it is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde::Serialize;
use tempfile::TempDir;
use xcap_stats::{Options, Report, Stats};

use crate::frames::{account, Frames};
use crate::part::Parts;
use crate::run_id::{Domain, RunId};
use crate::testbed::{Emulator, Testbed};

/// What is in every run's folder, and in no other.
pub const FRAMES: &str = "frames.json";
pub const TESTBED: &str = "environment.json";
pub const BEFORE: &str = "before";
pub const AFTER: &str = "after";
pub const PARTS: &str = "parts";

/// What begins the names of folders that are not yet whole.
pub const UNFINISHED: &str = ".unfinished-";

/// Where under the results a run has its folder, and what becomes of one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `<environment>/<scenario>/<buffer>-<repetition>`, never written again.
    Study,
    /// `<scenario>`: the latest run of each.
    Demo,
}

impl Layout {
    pub fn folder(self, results: &Path, run: RunId) -> PathBuf {
        match self {
            Self::Study => results.join(run.to_string()),
            Self::Demo => results.join(run.scenario.to_string()),
        }
    }

    /// Writes a run, whole or not at all, and gives the account of its frames.
    pub fn write(
        self,
        results: &Path,
        run: RunId,
        parts: &Parts,
        emulator: Option<Emulator>,
    ) -> Result<Frames> {
        let folder = self.folder(results, run);
        if folder.exists() && self == Self::Study {
            bail!(
                "'{}' is there already, and stays as it is",
                folder.display()
            );
        }
        if folder.exists() && !folder.join(FRAMES).exists() {
            bail!(
                "'{}' holds something else than a run: choose another --results",
                folder.display()
            );
        }
        let frames = account(run, parts).map_err(anyhow::Error::msg)?;
        some_came(&frames)?;
        let parent = folder.parent().unwrap_or(results);
        let unfinished = unfinished(parent)?;
        files(unfinished.path(), &frames, parts, emulator)?;
        put(unfinished, &folder, parent)?;
        Ok(frames)
    }
}

/// A study in which no frame arrives has its cable in the wrong place.
fn some_came(frames: &Frames) -> Result<()> {
    let deaf = frames
        .hops
        .iter()
        .find(|hop| hop.hop == "nic" && hop.came == 0);
    if let Some(nic) = deaf {
        bail!(
            "{}: of {} frames sent none came to {} ({}): check the cable, the interfaces and the destination",
            frames.run,
            frames.sent,
            nic.machine,
            nic.source
        );
    }
    Ok(())
}

fn unfinished(parent: &Path) -> Result<TempDir> {
    fs::create_dir_all(parent).with_context(|| format!("cannot make '{}'", parent.display()))?;
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        // Results are for everybody.
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .with_context(|| format!("cannot write in '{}'", parent.display()))
}

/// Puts a finished folder in its place; what was there goes.
fn put(finished: TempDir, folder: &Path, parent: &Path) -> Result<()> {
    let cannot = || format!("cannot put the run at '{}'", folder.display());
    let old = unfinished(parent)?;
    if folder.exists() {
        fs::rename(folder, old.path().join("old")).with_context(cannot)?;
    }
    fs::rename(finished.keep(), folder).with_context(cannot)
}

fn files(root: &Path, frames: &Frames, parts: &Parts, emulator: Option<Emulator>) -> Result<()> {
    let run = frames.run;
    for (role, part) in parts {
        json(&root.join(PARTS).join(format!("{role}.json")), part)?;
    }
    for domain in run.environment.domains() {
        domain_files(root, run, *domain, parts)?;
    }
    json(&root.join(FRAMES), frames)?;
    json(&root.join(TESTBED), &Testbed::of(run, parts, emulator))
}

fn domain_files(root: &Path, run: RunId, domain: Domain, parts: &Parts) -> Result<()> {
    let part = parts
        .get(&domain.into())
        .with_context(|| format!("{run}: no part of {domain}"))?;
    for (when, snapshot) in [(BEFORE, &part.before), (AFTER, &part.after)] {
        let text = snapshot.stats.as_ref();
        let text = text.with_context(|| format!("{run}: {domain} has no stats {when}"))?;
        let stats = xcap_stats::parse(text)
            .with_context(|| format!("{run}: the stats of {domain} {when}"))?;
        let folder = root.join(when);
        json(&folder.join(format!("{domain}.json")), &report(&stats))?;
        fs::write(folder.join(format!("{domain}.stats")), text)?;
    }
    let measured = part.measured().with_context(|| run.to_string())?;
    json(&root.join(format!("{domain}.json")), &report(&measured))
}

/// As `xcap-read --json` makes it when nothing else is asked of it.
pub fn report(stats: &Stats) -> Report {
    Report::new(stats, Options::default())
}

fn json(path: &Path, value: &impl Serialize) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(value)? + "\n";
    fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))
}

/// Removes what earlier starts left half written.
pub fn sweep(results: &Path) -> Result<()> {
    for folder in subfolders(results)?.iter().chain([&results.to_owned()]) {
        for deeper in subfolders(folder)?.iter().chain([folder]) {
            for entry in fs::read_dir(deeper).into_iter().flatten() {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                    fs::remove_dir_all(entry.path())?;
                }
            }
        }
    }
    Ok(())
}

fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
