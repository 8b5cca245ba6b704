// SPDX-License-Identifier: GPL-2.0

//! Frames of a machine to itself, by installed programs alone.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::time::Duration;
use xcap_frames::READY;
use xcap_machines::Guest;

/// A prime.
const FRAMES: u64 = 23;

const PATIENCE: Duration = Duration::from_secs(120);

/// Sends frames and captures them, and has the loaded module count just these. `system` is the folder where the
/// programs' system is in the guest.
pub fn count_frames(guest: &Guest, system: &str) -> Result<()> {
    let inside = |words: &[&str]| -> Vec<String> {
        let words = ["chroot", system].into_iter().chain(words.iter().copied());
        words.map(str::to_owned).collect()
    };
    let run = |words: &[&str]| guest.run(&inside(words))?.ok(words[0]);
    let count = FRAMES.to_string();
    let mut receiver = guest.spawn(&inside(&["xcap-recv", "-i", "lo", "--count", &count]))?;
    receiver.wait_for_line(READY, PATIENCE)?;
    let nobody = "00:00:00:00:00:00";
    run(&[
        "xcap-send",
        "-i",
        "lo",
        "-d",
        nobody,
        "--count",
        &count,
        "--wait",
        "1000",
    ])?;
    receiver.wait(PATIENCE)?.ok("xcap-recv")?;
    let report: Value = serde_json::from_str(&run(&["xcap-read", "--json"])?)?;
    let stages = report["stages"].as_array().context("no stages")?;
    let counted = stages.iter().find(|stage| stage["stage"] == "deliver");
    let counted = &counted.context("no stage deliver")?["count"];
    ensure!(
        *counted == FRAMES,
        "{FRAMES} frames were counted as {counted}"
    );
    Ok(())
}
