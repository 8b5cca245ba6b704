// SPDX-License-Identifier: GPL-2.0

//! `stress.json`: a row for each workload on each kernel, written when it has ended.

use crate::guest::outcome::Swept;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use xcap_machines::files;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The kernel's release.
    pub kernel: String,
    /// The workload.
    pub what: String,
    pub rounds: u64,
    pub failures: u64,
    pub seconds: u64,
    pub seed: u64,
    /// The kernel as it is called on the command line.
    pub variant: String,
    /// What went wrong, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// The guests' logs, where something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<PathBuf>,
    /// Why it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// How far failures went, operation by operation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swept: Vec<Swept>,
    /// Tells sources of the module and of the workloads apart.
    pub source: String,
}

/// A workload on a kernel, as both are called on the command line.
pub type Wanted = (String, String);

impl Row {
    fn is_of(&self, wanted: &Wanted) -> bool {
        (&self.variant, &self.what) == (&wanted.0, &wanted.1)
    }
}

pub struct Results {
    file: PathBuf,
    source: String,
    rows: Vec<Row>,
}

impl Results {
    /// What earlier runs with the same sources ended well with. Where they did all that is `wanted`, it is done anew.
    pub fn open(folder: &Path, source: &str, wanted: &[Wanted]) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make '{}'", folder.display()))?;
        let file = folder.join("stress.json");
        let mut rows: Vec<Row> = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        rows.retain(|row| row.source == source && row.failures == 0);
        let is_done = |wanted| rows.iter().any(|row| row.is_of(wanted));
        if wanted.iter().all(is_done) {
            rows.retain(|row| !wanted.iter().any(|wanted| row.is_of(wanted)));
        }
        Ok(Self {
            file,
            source: source.to_owned(),
            rows,
        })
    }

    /// Whether it was done, on this very kernel.
    pub fn has(&self, kernel: &str, wanted: &Wanted) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.kernel == kernel && row.is_of(wanted))
    }

    pub fn add(&mut self, row: Row) -> Result<()> {
        self.rows
            .retain(|other| (&other.variant, &other.what) != (&row.variant, &row.what));
        self.rows.push(Row {
            source: self.source.clone(),
            ..row
        });
        files::replace(&self.file, serde_json::to_string_pretty(&self.rows)? + "\n")
    }

    /// The rows that were `wanted`, in that order.
    pub fn of(&self, wanted: &[Wanted]) -> Vec<&Row> {
        let row = |wanted| self.rows.iter().find(|row| row.is_of(wanted));
        wanted.iter().filter_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, failures: u64) -> Row {
        Row {
            kernel: "7.3".to_owned(),
            variant: "stock".to_owned(),
            what: what.to_owned(),
            rounds: 17,
            failures,
            ..Row::default()
        }
    }

    fn wanted(what: &[&str]) -> Vec<Wanted> {
        let one = |what: &&str| ("stock".to_owned(), (*what).to_owned());
        what.iter().map(one).collect()
    }

    #[test]
    fn the_next_start_goes_on_with_what_failed_or_was_not_tried() {
        let folder = tempfile::tempdir().unwrap();
        let all = wanted(&["fuzz", "cycles", "storm"]);
        let open = |source| Results::open(folder.path(), source, &all).unwrap();
        let mut results = open("one");
        results.add(row("fuzz", 0)).unwrap();
        results.add(row("cycles", 1)).unwrap();
        let again = open("one");
        assert!(again.has("7.3", &all[0]) && !again.has("7.3", &all[1]));
        assert!(!again.has("7.4", &all[0]));
        assert!(open("another").rows.is_empty());
    }

    #[test]
    fn after_the_end_it_begins_anew_and_leaves_others_rows_alone() {
        let folder = tempfile::tempdir().unwrap();
        let all = wanted(&["fuzz", "cycles"]);
        let open = |wanted: &[Wanted]| Results::open(folder.path(), "one", wanted).unwrap();
        open(&all).add(row("fuzz", 0)).unwrap();
        assert_eq!(open(&all).of(&all).len(), 1);
        open(&all).add(row("cycles", 0)).unwrap();
        let one = open(&all[..1]);
        assert_eq!(one.of(&all)[0].what, "cycles");
        assert!(open(&all).rows.is_empty());
    }
}
