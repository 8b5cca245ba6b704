// SPDX-License-Identifier: GPL-2.0

//! What sending costs: frames that the lab's guest sends, timed from its program to the card's driver.
//!
//! By the clock of instructions nothing is at the other end of the cable, and the card counts what it sent; by the
//! wall's clock the sending machine is, and captures.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::libc::SIGINT;
use xcap_abi::paths::{CONTROL, MARKS, STATS};
use xcap_frames::{Captured, Sent, READY};
use xcap_journeys::analysis::{Analysis, Counted};
use xcap_journeys::recording::Recording;
use xcap_machines::image::guest::SENDER_MAC;
use xcap_machines::{Guest, Lab, Place, Running};
use xcap_stats::Stats;

use super::lab::place;
use crate::role::Role;
use crate::run_id::{Domain, Environment};
use crate::scenario::Scenario;

const PATIENCE: Duration = Duration::from_secs(240);

/// Marks that a frame leaves in a domain, and room for those of batches.
const MARKS_A_FRAME: u64 = 16;

/// Waits until the card sends no more, and what it sent has come.
const QUIET: &str = "cd /sys/class/net/eth0/statistics; last=; \
    while now=$(cat tx_packets rx_packets) && [ \"$now\" != \"$last\" ]; do last=$now; sleep 0.2; done; cat tx_packets";

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How long the program waits after each frame, and how large they are.
    pub scenario: Scenario,
    pub frames: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Transmitted {
    pub sent: Sent,
    /// Frames that the card sent, by its own counter.
    pub left: u64,
    /// Frames that came to the other end of the cable; none: nobody is there.
    pub arrived: Option<u64>,
    /// What xcap measured, in the order in which frames come to the domains.
    pub stats: Vec<(Domain, Stats)>,
    /// The same domains' marks, if there are to be any.
    pub recordings: Vec<Recording>,
}

impl Transmitted {
    /// The frames' journeys: those that left should have a whole one.
    pub fn analysis(&self) -> Result<Analysis> {
        let counted = Counted {
            sent: Some(self.sent.sent),
            captured: Some(self.arrived.unwrap_or(self.left)),
        };
        Analysis::new(&self.recordings, counted)
    }
}

/// Has the guest send, every domain on the way timing its part; if `marked`, each frame leaves marks there.
pub fn transmit(
    lab: &Lab,
    environment: Environment,
    load: Load,
    marked: bool,
) -> Result<Transmitted> {
    let domains: Vec<Domain> = environment.domains().iter().rev().copied().collect();
    let guest = |domain| lab.guest(place(Role::Measured(domain)));
    for &domain in &domains {
        begin(guest(domain), marked.then_some(load.frames)).context(domain)?;
    }
    let transmitted = send(
        lab,
        guest(domains[0]),
        guest(domains[domains.len() - 1]),
        load,
    );
    let mut transmitted = transmitted?;
    for &domain in &domains {
        let (stats, marks) = end(guest(domain), marked).context(domain)?;
        transmitted.stats.push((domain, xcap_stats::parse(&stats)?));
        if let Some(marks) = marks {
            transmitted.recordings.push(Recording::parse(&marks)?);
        }
    }
    Ok(transmitted)
}

fn control(guest: &Guest, commands: &[&str]) -> Result<()> {
    let echo = |command: &&str| format!("echo {command} >{CONTROL}");
    let script: Vec<String> = commands.iter().map(echo).collect();
    guest.sh(&script.join(" && ")).map(drop)
}

fn begin(guest: &Guest, marks: Option<u64>) -> Result<()> {
    control(guest, &["stop", "transmit on"])?;
    if let Some(frames) = marks {
        let room = (frames * MARKS_A_FRAME).clamp(1 << 12, 1 << 20);
        let room = room.next_power_of_two();
        control(guest, &[&format!("marks on {room}")])?;
    }
    control(guest, &["start", "reset"])
}

/// What was measured, and the marks; xcap is as it was before.
fn end(guest: &Guest, marked: bool) -> Result<(String, Option<Vec<u8>>)> {
    control(guest, &["stop"])?;
    let stats = guest.sh(&format!("cat {STATS}"))?;
    let marks = marked.then(|| guest.read_file(MARKS)).transpose()?;
    control(guest, &["marks off", "transmit off", "start"])?;
    Ok((stats, marks))
}

fn send(lab: &Lab, sender: &Guest, card: &Guest, load: Load) -> Result<Transmitted> {
    let mut far_end = lab.guests().find(|(place, _)| *place == Place::Sender);
    let mut capturer = far_end
        .take()
        .map(|(_, guest)| capture(guest))
        .transpose()?;
    let before = quiet(card)?;
    let (count, size) = (load.frames.to_string(), load.scenario.size.to_string());
    let wait = load.scenario.wait_us.to_string();
    let command = [
        "xcap-send",
        "--json",
        "--numbered",
        "--interface",
        "eth0",
        "--destination",
        SENDER_MAC,
        "--count",
        &count,
        "--size",
        &size,
        "--wait",
        &wait,
    ];
    let said = sender.run(&command)?.ok("xcap-send")?;
    let sent: Sent = serde_json::from_str(&said).context("xcap-send printed no report")?;
    let left = quiet(card)?.saturating_sub(before);
    let arrived = capturer.take().map(arrived).transpose()?;
    Ok(Transmitted {
        sent,
        left,
        arrived,
        stats: Vec::new(),
        recordings: Vec::new(),
    })
}

/// Waits until nothing passes the card, and says how many frames it has sent.
fn quiet(guest: &Guest) -> Result<u64> {
    let sent = guest.sh(QUIET)?;
    sent.trim().parse().context("a counter is no number")
}

fn capture(guest: &Guest) -> Result<(&Guest, Running)> {
    let command = ["xcap-recv", "--json", "--interface", "eth0"];
    let mut capturer = guest.spawn(&[&command[..], &["--buffer", "67108864"]].concat())?;
    capturer.wait_for_line(READY, PATIENCE)?;
    Ok((guest, capturer))
}

fn arrived((guest, capturer): (&Guest, Running)) -> Result<u64> {
    quiet(guest)?;
    capturer.signal(SIGINT)?;
    let said = capturer.wait(PATIENCE)?.ok("xcap-recv")?;
    let captured: Captured = serde_json::from_str(&said).context("xcap-recv printed no report")?;
    Ok(captured.captured + captured.unread + captured.tp_drops)
}
