// SPDX-License-Identifier: GPL-2.0

//! The paper's scenarios, run once in a lab.

use crate::boot::lab::Lab;
use crate::hops::{Counters, Hops};
use crate::image::guest::{DOMU_MAC, RECEIVER_MAC};
use crate::place::Place;
use crate::talk::guest::Guest;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use xcap_abi::paths::CONTROL;

/// `w0s0064`: frames of so many bytes, so many µs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub wait_us: u32,
    pub size: u32,
}

/// In the paper's order.
pub const SCENARIOS: [Scenario; 4] = [
    Scenario {
        wait_us: 0,
        size: 64,
    },
    Scenario {
        wait_us: 1,
        size: 64,
    },
    Scenario {
        wait_us: 0,
        size: 1500,
    },
    Scenario {
        wait_us: 1,
        size: 1500,
    },
];

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "w{}s{:04}", self.wait_us, self.size)
    }
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub frames: u64,
    /// Of the capturer's socket, in bytes; none: as the system gives it.
    pub buffer: Option<u64>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            frames: 10_000,
            buffer: Some(64 << 20),
        }
    }
}

/// What a run gave.
pub struct Measured {
    /// What `xcap-read --json` printed in each domain where xcap is loaded.
    pub reports: BTreeMap<Place, String>,
    pub hops: Hops,
    /// What sender and capturer said, as JSON.
    pub sender: String,
    pub capturer: String,
}

#[derive(Deserialize)]
struct Sent {
    sent: u64,
}

#[derive(Deserialize)]
struct Captured {
    captured: u64,
    tp_packets: u64,
    tp_drops: u64,
}

/// A capture that hangs for so long has failed; a slow machine is slower than anything seen.
const PATIENCE: Duration = Duration::from_secs(240);

/// Writes a command to xcap's control file.
pub fn control(guest: &Guest, word: &str) -> Result<()> {
    guest.sh(&format!("echo {word} >{CONTROL}")).map(drop)
}

/// Where frames are captured.
pub fn capturing_place(lab: &Lab) -> Place {
    if lab.has(Place::DomU) {
        Place::DomU
    } else {
        Place::Bare
    }
}

/// The address that frames are sent to, to be captured.
pub fn destination(lab: &Lab) -> &'static str {
    match capturing_place(lab) {
        Place::DomU => DOMU_MAC,
        _ => RECEIVER_MAC,
    }
}

/// Sends and captures the frames of one scenario, xcap recording in every receiving domain from just before to just
/// after.
pub fn run(lab: &Lab, scenario: Scenario, run: Run) -> Result<Measured> {
    let place = capturing_place(lab);
    let measured: Vec<(Place, &Guest)> = lab
        .guests()
        .filter(|(place, _)| *place != Place::Sender)
        .collect();
    let before = Counters::read(lab)?;
    for (_, guest) in &measured {
        control(guest, "reset")?;
        control(guest, "start")?;
    }
    let frames = run.frames.to_string();
    let mut capture = vec![
        "xcap-recv",
        "--interface",
        "eth0",
        "--json",
        "--count",
        &frames,
    ];
    let buffer = run.buffer.map(|bytes| bytes.to_string());
    if let Some(bytes) = &buffer {
        capture.extend(["--buffer", bytes]);
    }
    let mut capturer = lab.guest(place).spawn(&capture)?;
    capturer.wait_for_line("ready", PATIENCE)?;

    let (wait, size) = (scenario.wait_us.to_string(), scenario.size.to_string());
    let send = [
        "xcap-send",
        "--interface",
        "eth0",
        "--json",
        "--destination",
        destination(lab),
        "--size",
        &size,
        "--wait",
        &wait,
        "--count",
        &frames,
    ];
    let sender = lab.guest(Place::Sender).run(&send)?.ok("xcap-send")?;
    settle(lab)?;
    let mut reports = BTreeMap::new();
    for (_, guest) in &measured {
        control(guest, "stop")?;
    }
    let after = Counters::read(lab)?;
    for (place, guest) in &measured {
        let report = guest.run(&["xcap-read", "--json"])?;
        reports.insert(*place, report.ok(&format!("xcap-read in {place}"))?);
    }
    // One that waits for frames that were lost has nothing more to wait for.
    capturer.signal(nix::libc::SIGTERM)?;
    let capturer = capturer.wait(PATIENCE)?.ok("xcap-recv")?;

    let sent: Sent = serde_json::from_str(&sender).context("what xcap-send printed")?;
    let captured: Captured = serde_json::from_str(&capturer).context("what xcap-recv printed")?;
    let hops = Hops {
        sent: sent.sent,
        socket_packets: captured.tp_packets,
        socket_drops: captured.tp_drops,
        captured: captured.captured,
        ..after.since(&before)
    };
    Ok(Measured {
        reports,
        hops,
        sender,
        capturer,
    })
}

/// Waits until no frame is under way any more: two readings in a row that say the same.
fn settle(lab: &Lab) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut last = Counters::glance(lab)?;
    loop {
        sleep(Duration::from_millis(150));
        let now = Counters::glance(lab)?;
        if now == last {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "frames go on coming, though the sender has ended"
        );
        last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::SCENARIOS;

    #[test]
    fn scenarios_have_the_papers_names() {
        let names = SCENARIOS.map(|scenario| scenario.to_string());
        assert_eq!(names, ["w0s0064", "w1s0064", "w0s1500", "w1s1500"]);
    }
}
