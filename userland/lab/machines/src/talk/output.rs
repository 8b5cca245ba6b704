// SPDX-License-Identifier: GPL-2.0

//! How a command in a guest ended, and what it printed.

use anyhow::{bail, Result};
use xcap_guest::protocol::Status;

/// What a command left.
#[derive(Debug, Clone)]
pub struct Output {
    pub status: Status,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// As a shell counts: 128 and the signal's number for a command that was killed.
    pub fn exit_code(&self) -> i32 {
        match self.status {
            Status::Exited(code) => code,
            Status::Killed(signal) => 128 + signal,
            Status::NotStarted(_) => 127,
        }
    }

    pub fn success(&self) -> bool {
        self.status == Status::Exited(0)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// What it printed; an error, with what it said, unless it exited with 0.
    pub fn ok(self, what: &str) -> Result<String> {
        match &self.status {
            Status::Exited(0) => Ok(self.text()),
            Status::Exited(code) => bail!(
                "{what} failed with exit code {code}: {}",
                self.error_text().trim()
            ),
            Status::Killed(signal) => bail!(
                "{what} was killed by signal {signal}: {}",
                self.error_text().trim()
            ),
            Status::NotStarted(why) => bail!("{what}: {why}"),
        }
    }
}
