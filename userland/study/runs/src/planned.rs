// SPDX-License-Identifier: GPL-2.0

//! What a study was asked to be: study.json, beside its runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_machines::files::replace;

use crate::format::{self, FORMAT};
use crate::run::Plan;
use crate::run_id::RunId;

/// Its file's name.
const NAME: &str = "study.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Version of the format of a run's files.
    pub format: u32,
    /// Decides the order of the runs.
    pub seed: u64,
    /// The command that was given last.
    pub command: String,
    /// Version of xcap-paper.
    pub version: String,
    /// Commit of xcap's sources, where they were there.
    pub commit: Option<String>,
    /// Frames in a run.
    pub frames: u64,
    /// Runs of each kind.
    pub repetitions: u32,
    /// The runs, in the order in which they are made: blocks of one start of the machines.
    pub order: Vec<Vec<RunId>>,
}

impl Planned {
    /// `arguments` are the words of the command, the program's name left out.
    pub fn new(plan: &Plan, seed: u64, arguments: impl IntoIterator<Item = String>) -> Self {
        let mut words: Vec<String> = vec!["xcap-paper".into()];
        words.extend(arguments.into_iter().map(|word| quoted(&word)));
        if !words.iter().any(|word| word.starts_with("--seed")) {
            words.push(format!("--seed {}", seed));
        }
        Self {
            format: FORMAT,
            seed,
            command: words.join(" "),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: commit(),
            frames: plan.frames,
            repetitions: plan.repetitions,
            order: plan.blocks().into_iter().map(|block| block.runs).collect(),
        }
    }

    /// That of the study in a folder; none, where runs were made by hand.
    pub fn read(results: &Path) -> Result<Option<Self>> {
        let path = path(results);
        match path.exists() {
            true => format::read(&path, "description of a study").map(Some),
            false => Ok(None),
        }
    }

    pub fn write(&self, results: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("a study can't be told")?;
        replace(&path(results), text + "\n")
    }
}

fn path(results: &Path) -> PathBuf {
    results.join(NAME)
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Of the sources that we are called in.
fn commit() -> Option<String> {
    fs::metadata("xcap_mod.rs").ok()?;
    let said = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()?;
    let commit = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    (said.status.success() && !commit.is_empty()).then_some(commit)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_command_can_be_given_again() {
        assert_eq!(quoted("--frames=7"), "--frames=7");
        assert_eq!(quoted("ssh root@a"), "'ssh root@a'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
