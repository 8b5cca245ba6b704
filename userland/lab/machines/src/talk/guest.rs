// SPDX-License-Identifier: GPL-2.0

//! A guest of the lab.

use crate::talk::link::Link;
use crate::talk::output::Output;
use crate::talk::running::Running;
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;
use xcap_guest::protocol::{Request, Terminal};

/// Longer than anything that a test or a scenario runs.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct Guest {
    link: Arc<Link>,
}

impl Guest {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub fn name(&self) -> &str {
        self.link.guest()
    }

    /// Starts a command; it gets no input unless some is sent.
    pub fn spawn<S: AsRef<str>>(&self, command: &[S]) -> Result<Running> {
        self.start(command, None)
    }

    /// Starts a command on a terminal of its own.
    pub fn spawn_on_terminal<S: AsRef<str>>(
        &self,
        command: &[S],
        terminal: Terminal,
    ) -> Result<Running> {
        self.start(command, Some(terminal))
    }

    fn start<S: AsRef<str>>(&self, command: &[S], terminal: Option<Terminal>) -> Result<Running> {
        let command: Vec<String> = command.iter().map(|s| s.as_ref().to_owned()).collect();
        let (job, events) = self.link.new_job();
        let name = command.join(" ");
        self.link.send(&Request::Spawn {
            job,
            command,
            terminal,
        })?;
        Ok(Running::new(self.link.clone(), job, name, events))
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<str>>(&self, command: &[S]) -> Result<Output> {
        let running = self.spawn(command)?;
        running.close_stdin()?;
        running.wait(PATIENCE)
    }

    /// Runs a shell script to its end; a script that fails is an error. Gives what it printed.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.run(&["sh", "-c", script])?
            .ok(&format!("'{script}' in {}", self.name()))
    }

    pub fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        let output = self.run(&["cat", path])?;
        output
            .clone()
            .ok(&format!("reading {path} in {}", self.name()))?;
        Ok(output.stdout)
    }

    pub fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let running = self.spawn(&["sh", "-c", "cat >\"$0\"", path])?;
        running.send(bytes)?;
        running.close_stdin()?;
        running
            .wait(PATIENCE)?
            .ok(&format!("writing {path} in {}", self.name()))?;
        Ok(())
    }
}
