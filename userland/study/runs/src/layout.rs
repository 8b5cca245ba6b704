// SPDX-License-Identifier: GPL-2.0

//! Place results lie.
//!
//! ```text
//! <results>/<environment>/<scenario>/<buffer>-<repetition>/
//!     before/<domain>.stats   xcap's `stats` before the first frame
//!     before/<domain>.json    what `xcap-read --json` makes of it
//!     after/<domain>.stats    … after the last
//!     after/<domain>.json
//!     frames.json             the frames, hop by hop
//!     environment.json        kernel, Xen, QEMU, CPU; emulated or real
//!     parts/<role>.json       what each machine recorded, as it was
//! ```
//!
//! A run's folder appears all at once, when all of it is written; what is there
//! is never written again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};
use serde::Serialize;

use crate::environment::{Lab, Surroundings};
use crate::frames::{account, Frames};
use crate::part::Part;
use crate::run_id::{Domain, RunId};

/// What begins the names of folders that are not yet whole.
pub const UNFINISHED: &str = ".unfinished-";

/// Writes a run, whole or not at all, and gives the account of its frames.
pub fn write(
    results: &Path,
    run: RunId,
    parts: &BTreeMap<String, Part>,
    lab: Option<Lab>,
) -> Result<Frames> {
    let folder = results.join(run.path());
    if folder.exists() {
        bail!(
            "'{}' is there already, and stays as it is",
            folder.display()
        );
    }
    let frames = account(run, parts).map_err(anyhow::Error::msg)?;
    if let Some(nic) = frames
        .hops
        .iter()
        .find(|hop| hop.hop == "nic" && hop.came == 0)
    {
        bail!(
            "{run}: of {} frames sent none came to {} ({}): check the cable, the interfaces and the destination",
            frames.sent,
            nic.machine,
            nic.source
        );
    }
    let parent = folder.parent().unwrap_or(results);
    fs::create_dir_all(parent).with_context(|| format!("cannot make '{}'", parent.display()))?;
    let unfinished = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(parent)
        .with_context(|| format!("cannot write in '{}'", parent.display()))?;
    let root = unfinished.path();
    for (role, part) in parts {
        json(&root.join("parts").join(format!("{role}.json")), part)?;
    }
    for domain in run.environment.domains() {
        domain_files(root, run, *domain, parts)?;
    }
    json(&root.join("frames.json"), &frames)?;
    json(
        &root.join("environment.json"),
        &Surroundings::of(run, parts, lab),
    )?;
    // A folder is private as `tempfile` makes it; results are for everybody.
    #[cfg(unix)]
    fs::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let root = unfinished.keep();
    fs::rename(&root, &folder)
        .with_context(|| format!("cannot put the run at '{}'", folder.display()))?;
    Ok(frames)
}

fn domain_files(
    root: &Path,
    run: RunId,
    domain: Domain,
    parts: &BTreeMap<String, Part>,
) -> Result<()> {
    let part = parts
        .get(domain.name())
        .with_context(|| format!("{run}: no part of {domain}"))?;
    for (when, snapshot) in [("before", &part.before), ("after", &part.after)] {
        let text = snapshot.stats.as_ref();
        let text = text.with_context(|| format!("{run}: {domain} has no stats {when}"))?;
        let stats = xcap_read::parse(text)
            .with_context(|| format!("{run}: the stats of {domain} {when}"))?;
        let report = xcap_read::Report::new(&stats, xcap_read::Options::default());
        let folder = root.join(when);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{domain}.stats")), text)?;
        json(&folder.join(format!("{domain}.json")), &report)?;
    }
    Ok(())
}

/// Writes one JSON file.
pub fn json(path: &Path, value: &impl Serialize) -> Result<()> {
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

fn subfolders(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
