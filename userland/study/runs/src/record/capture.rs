// SPDX-License-Identifier: GPL-2.0

//! The capturing program of a run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{bail, Context, Result};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use xcap_frames::{Captured, READY};

use super::tool::tool;
use crate::run_id::Buffer;

/// `xcap-recv` under way; dropped, it is ended.
pub struct Capture {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Capture {
    /// Starts it; frames are being captured when this returns.
    pub fn start(interface: &str, buffer: Buffer) -> Result<Self> {
        let mut command = Command::new(tool("xcap-recv"));
        command.args(["--json", "--interface", interface]);
        if let Some(bytes) = buffer.bytes() {
            command.args(["--buffer", &bytes.to_string()]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run xcap-recv")?;
        let said = child.stderr.take().context("its output is not ours")?;
        let mut capture = Self {
            child,
            said: BufReader::new(said),
        };
        // It may warn before; if it never is ready, what it said is why.
        let mut said = String::new();
        loop {
            let begins = said.len();
            if capture.said.read_line(&mut said)? == 0 {
                bail!("{}", said.trim());
            }
            if said[begins..].starts_with(READY) {
                return Ok(capture);
            }
        }
    }

    /// Its number among the programs that run.
    pub fn program(&self) -> i32 {
        self.child.id() as i32
    }

    /// Stops it and gives what it captured.
    pub fn end(mut self) -> Result<Captured> {
        kill(Pid::from_raw(self.program()), Signal::SIGINT)?;
        let mut text = String::new();
        if let Some(stdout) = &mut self.child.stdout {
            stdout.read_to_string(&mut text)?;
        }
        if !self.child.wait()?.success() {
            let mut said = String::new();
            self.said.read_to_string(&mut said)?;
            bail!("{}", said.trim());
        }
        serde_json::from_str(&text).context("xcap-recv printed no report")
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
