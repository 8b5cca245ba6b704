// SPDX-License-Identifier: GPL-2.0

//! Userland's parsers, a process each: one that panics or hangs takes no other along.

use crate::guest::outcome::Outcome;
use crate::host::words::name_of;
use crate::parsers::Parser;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No input takes so long.
const MARGIN: Duration = Duration::from_secs(60);

pub fn run(
    parser: Parser,
    what: &str,
    seed: u64,
    longest: Duration,
    results: &Path,
) -> Result<Outcome> {
    let found = results.join(format!("{}-{seed}.input", what.replace(' ', "-")));
    let mut child = Command::new(std::env::current_exe()?)
        .args(["parse", &name_of(parser)])
        .arg(format!("--seed={seed}"))
        .arg(format!("--seconds={}", longest.as_secs()))
        .arg("--found")
        .arg(&found)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start xcap-stress")?;
    let deadline = Instant::now() + longest + MARGIN;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return serde_json::from_slice(&output.stdout).context("it tells what it did");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let what = format!(
        "{}: {} (input: '{}')",
        output.status,
        said.trim(),
        found.display()
    );
    Ok(Outcome {
        failures: vec![what],
        ..Outcome::default()
    })
}
