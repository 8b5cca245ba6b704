// SPDX-License-Identifier: GPL-2.0

//! Finds the folders of runs, wherever below the results they lie.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::layout::{AFTER, BEFORE, FRAMES, PARTS, TESTBED, UNFINISHED};

/// What a report puts beside the runs.
const OF_REPORTS: [&str; 2] = ["figures", "tables"];

/// All runs' folders, in the order of their names. What is there and is none is refused: results
/// that are left out in silence would be worse.
pub fn runs(results: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if is_run(results) {
        found.push(results.to_owned());
    } else if results.is_dir() {
        for folder in subfolders(results)? {
            let of_report = OF_REPORTS.iter().any(|name| folder.ends_with(name));
            if !of_report && !is_under_way(&folder) {
                descend(&folder, &mut found)?;
            }
        }
    }
    if found.is_empty() {
        bail!(
            "there are no results at '{}': xcap-paper run makes some",
            results.display()
        );
    }
    Ok(found)
}

fn descend(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if is_run(folder) {
        found.push(folder.to_owned());
        return Ok(());
    }
    let deeper = subfolders(folder)?;
    if deeper.is_empty() {
        bail!(
            "'{}' doesn't belong to the results: there is no run in it",
            folder.display()
        );
    }
    for folder in deeper {
        if !is_under_way(&folder) {
            descend(&folder, found)?;
        }
    }
    Ok(())
}

fn is_under_way(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with(UNFINISHED)
}

/// A run that lost a file is one: reading it tells which.
fn is_run(folder: &Path) -> bool {
    [FRAMES, TESTBED, BEFORE, AFTER, PARTS]
        .iter()
        .any(|name| folder.join(name).exists())
}

/// Folders in a folder, sorted.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read '{}'", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
