// SPDX-License-Identifier: GPL-2.0

//! The guests' logs, and what in them means that something is wrong.

use anyhow::{bail, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What the kernel prints when it isn't well.
const SPLATS: [&str; 17] = [
    "BUG:",
    "Oops",
    "Kernel panic",
    "WARNING:",
    "Call Trace:",
    "general protection fault",
    "hung task",
    "blocked for more than",
    "soft lockup",
    "hard LOCKUP",
    "rcu: INFO:",
    "unregister_netdevice: waiting",
    "KASAN:",
    "UBSAN:",
    "scheduling while atomic",
    "bad page",
    "possible recursive locking",
];

#[derive(Clone, Debug)]
pub struct Logs {
    folder: PathBuf,
}

impl Logs {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The raw console of a machine.
    pub fn console(&self, machine: &str) -> PathBuf {
        self.folder.join(format!("{machine}.console.log"))
    }

    /// What a guest's kernel logged.
    pub fn kernel(&self, guest: &str) -> PathBuf {
        self.folder.join(format!("{guest}.kernel.log"))
    }

    /// All text of all guests' logs, by file.
    pub fn read(&self) -> Result<Vec<(String, String)>> {
        let mut logs = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "log") {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                logs.push((
                    name,
                    String::from_utf8_lossy(&fs::read(&path)?).into_owned(),
                ));
            }
        }
        logs.sort();
        Ok(logs)
    }

    /// An error that shows every line of any log that tells of an oops, a warning or a splat.
    pub fn check(&self) -> Result<()> {
        self.check_but(&[])
    }

    /// As [`check`](Self::check), but for warnings and traces that a line with one of these words introduces.
    pub fn check_but(&self, known: &[&str]) -> Result<()> {
        let mut found = Vec::new();
        for (name, text) in self.read()? {
            let unknown = unknown_splats(&text, known);
            found.extend(unknown.map(|line| format!("{name}: {}", line.trim())));
        }
        if found.is_empty() {
            return Ok(());
        }
        bail!(
            "the guests' logs tell of trouble:\n{}\nAll of them: {}",
            found.join("\n"),
            self.folder.display()
        )
    }

    fn first_splat(&self, guest: &str) -> Option<String> {
        [self.console(guest), self.kernel(guest)]
            .iter()
            .find_map(|path| {
                let bytes = fs::read(path).ok()?;
                let text = String::from_utf8_lossy(&bytes);
                let first = splats(&text).next()?.trim().to_owned();
                Some(first)
            })
    }

    /// The last lines of what a guest and its machine said.
    pub fn tail(&self, guest: &str) -> String {
        let mut shown = String::new();
        if let Some(first) = self.first_splat(guest) {
            shown.push_str(&format!("{guest}'s kernel: {first}\n"));
        }
        for path in [self.console(guest), self.kernel(guest)] {
            let text = crate::run::tail(&path, 12);
            if !text.is_empty() {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                shown.push_str(&format!("the last lines of {name}:\n{text}\n"));
            }
        }
        shown
    }
}

fn splats(log: &str) -> impl Iterator<Item = &str> {
    unknown_splats(log, &[])
}

/// A known trace ends where the task's stack does.
fn unknown_splats<'a>(log: &'a str, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let mut is_known = false;
    let told = log.lines().filter(move |line| {
        is_known |= known.iter().any(|word| line.contains(word));
        let passed_over = is_known
            && ["WARNING:", "Call Trace:"]
                .iter()
                .any(|it| line.contains(it));
        is_known &= !line.contains("</TASK>");
        !passed_over
    });
    told.filter(|line| SPLATS.iter().any(|splat| line.contains(splat)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_passed_over_until_its_trace_ends() {
        let log = "no memory for x\nWARNING: at x\nCall Trace:\nBUG: y\n</TASK>\nWARNING: at z\n";
        let found: Vec<&str> = unknown_splats(log, &["no memory"]).collect();
        assert_eq!(found, ["BUG: y", "WARNING: at z"]);
        assert_eq!(unknown_splats(log, &[]).count(), 4);
    }

    #[test]
    fn a_splat_is_found_and_shown_with_the_name_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::new(dir.path().to_owned());
        fs::write(logs.kernel("domU"), "[1.0] xcap: loaded\n").unwrap();
        logs.check().unwrap();
        fs::write(
            logs.kernel("dom0"),
            "[2.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1\n",
        )
        .unwrap();
        let error = logs.check().unwrap_err().to_string();
        assert!(
            error.contains("dom0.kernel.log: [2.0] WARNING: CPU: 0"),
            "{error}"
        );
    }
}
