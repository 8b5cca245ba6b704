// SPDX-License-Identifier: GPL-2.0

//! Parts that machines recorded on their own, put together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use xcap_machines::files::create;

use crate::format;
use crate::layout::Layout;
use crate::part::{environment, Part, Parts, Task};
use crate::run_id::RunId;

/// Keeps a part in a folder, under a name that says what it is; one that is there stays.
pub fn keep(folder: &Path, part: &Part) -> Result<PathBuf> {
    let Task {
        scenario,
        buffer,
        repetition,
        ..
    } = part.task;
    let name = format!("{scenario}-{buffer}-{repetition:02}-{}.json", part.role);
    let path = folder.join(name);
    create(&path, serde_json::to_vec_pretty(part)?)?;
    Ok(path)
}

/// Makes results of all parts in `folders`; those that are there stay as they are.
pub fn gather(folders: &[PathBuf], results: &Path) -> Result<Vec<RunId>> {
    let mut runs: BTreeMap<Task, Parts> = BTreeMap::new();
    for folder in folders {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read '{}'", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let part: Part = format::read(&path, "part that xcap-paper recorded")?;
            let parts = runs.entry(part.task).or_default();
            if parts.get(&part.role).is_some_and(|there| *there != part) {
                bail!(
                    "'{}' contradicts another part of the same run and machine",
                    path.display()
                );
            }
            parts.insert(part.role, part);
        }
    }
    if runs.is_empty() {
        bail!("no parts there: xcap-paper record --out FOLDER writes them");
    }
    let mut made = Vec::new();
    for (task, parts) in &runs {
        let run = RunId {
            environment: environment(parts)?,
            scenario: task.scenario,
            buffer: task.buffer,
            repetition: task.repetition,
        };
        Layout::Study.write(results, run, parts, None)?;
        made.push(run);
    }
    Ok(made)
}
