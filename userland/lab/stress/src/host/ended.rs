// SPDX-License-Identifier: GPL-2.0

//! How a workload ended.

use crate::guest::outcome::Outcome;
use anyhow::Result;
use std::path::{Path, PathBuf};
use xcap_machines::Lab;

/// What came of a workload, and where its guests' logs are kept, if something went wrong.
pub struct Ended {
    pub outcome: Outcome,
    pub logs: Option<PathBuf>,
}

impl Ended {
    /// It could not be done.
    pub fn failed(error: &anyhow::Error) -> Self {
        Self::from(Outcome {
            failures: vec![format!("{error:#}")],
            ..Outcome::default()
        })
    }

    /// It was not tried.
    pub fn left_out(why: &str) -> Self {
        Self::from(Outcome::skipped(why))
    }

    /// Of a lab that is still there: with the next its logs may go.
    pub fn of(lab: &Lab, outcome: Outcome, keep: &Path) -> Result<Self> {
        let went_wrong = !outcome.failures.is_empty();
        if went_wrong {
            keep_logs(lab.logs().folder(), keep)?;
        }
        let logs = went_wrong.then(|| keep.to_owned());
        Ok(Self { outcome, logs })
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            logs: None,
        }
    }
}

fn keep_logs(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
