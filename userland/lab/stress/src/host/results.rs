// SPDX-License-Identifier: GPL-2.0

//! `stress.json`: a row for each workload on each kernel, written when it has ended.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use xcap_machines::files;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The kernel's release.
    pub kernel: String,
    /// The workload.
    pub what: String,
    pub rounds: u64,
    pub failures: u64,
    pub seconds: u64,
    pub seed: u64,
    /// What went wrong, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// The guests' logs, where something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<PathBuf>,
    /// Why it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Tells sources of the module and of the workloads apart.
    pub source: String,
}

pub struct Results {
    file: PathBuf,
    source: String,
    pub rows: Vec<Row>,
}

impl Results {
    /// What an earlier run with the same sources ended well with; of a run that came to its end, nothing.
    pub fn open(folder: &Path, source: &str, is_whole: impl Fn(&[Row]) -> bool) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make '{}'", folder.display()))?;
        let file = folder.join("stress.json");
        let mut rows = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        rows.retain(|row: &Row| row.source == source && row.failures == 0);
        if is_whole(&rows) {
            rows.clear();
        }
        Ok(Self {
            file,
            source: source.to_owned(),
            rows,
        })
    }

    pub fn has(&self, kernel: &str, what: &str) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.kernel == kernel && row.what == what)
    }

    pub fn add(&mut self, row: Row) -> Result<()> {
        self.rows.push(Row {
            source: self.source.clone(),
            ..row
        });
        files::replace(&self.file, serde_json::to_string_pretty(&self.rows)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, failures: u64, source: &str) -> Row {
        Row {
            kernel: "7.3".to_owned(),
            what: what.to_owned(),
            rounds: 17,
            failures,
            seconds: 1,
            seed: 1,
            told: Vec::new(),
            logs: None,
            skipped: None,
            source: source.to_owned(),
        }
    }

    #[test]
    fn the_next_start_goes_on_with_what_failed_or_was_not_tried() {
        let folder = tempfile::tempdir().unwrap();
        let open = |source| Results::open(folder.path(), source, |rows| rows.len() == 3).unwrap();
        let mut results = open("one");
        results.add(row("fuzz", 0, "one")).unwrap();
        results.add(row("cycles", 1, "one")).unwrap();
        let again = open("one");
        assert!(again.has("7.3", "fuzz") && !again.has("7.3", "cycles"));
        assert!(!again.has("7.4", "fuzz"));
        assert!(open("another").rows.is_empty());
    }

    #[test]
    fn after_the_end_it_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Results::open(folder.path(), "one", |rows| rows.len() == 1).unwrap();
        open().add(row("fuzz", 0, "one")).unwrap();
        assert!(open().rows.is_empty());
    }
}
