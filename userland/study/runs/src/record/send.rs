// SPDX-License-Identifier: GPL-2.0

//! The sending program of a run.

use std::process::Command;

use anyhow::{bail, Context, Result};
use xcap_frames::Sent;

use super::tool::tool;
use crate::part::Task;

/// Sends the frames of `task`, each with its number if they are to be told apart, and returns when
/// all are sent.
pub fn send(interface: &str, destination: &str, task: Task, numbered: bool) -> Result<Sent> {
    let output = Command::new(tool("xcap-send"))
        .args(numbered.then_some("--numbered"))
        .args(["--json", "--interface", interface])
        .args(["--destination", destination])
        .args(["--size", &task.scenario.size.to_string()])
        .args(["--wait", &task.scenario.wait_us.to_string()])
        .args(["--count", &task.frames.to_string()])
        .output()
        .context("cannot run xcap-send")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("xcap-send printed no report")
}
