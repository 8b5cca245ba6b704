// SPDX-License-Identifier: GPL-2.0

//! The capturing program of a run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{bail, Context, Result};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::part::Captured;
use crate::run_id::Buffer;

use super::tool;

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
        let mut line = String::new();
        while capture.said.read_line(&mut line)? > 0 {
            if line.starts_with("ready") {
                return Ok(capture);
            }
            // Anything else is a warning (a buffer cut short) or the reason why it ends.
            if !line.contains("the buffer is") {
                bail!("{}", line.trim());
            }
            line.clear();
        }
        bail!("xcap-recv ended without a word")
    }

    /// Stops it and gives what it captured.
    pub fn end(mut self) -> Result<Captured> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT)?;
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
