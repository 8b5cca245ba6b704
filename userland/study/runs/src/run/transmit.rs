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

/// Waits until the card sends no more, and what it sent has come; then what the card's driver refused, and what the
/// queue before it had no room for, are told, too.
const QUIET: &str = "cd /sys/class/net/eth0/statistics; last=; \
    while now=$(cat tx_packets rx_packets) && [ \"$now\" != \"$last\" ]; do last=$now; sleep 0.2; done; cat tx_packets; \
    cat tx_dropped; /usr/sbin/tc -s qdisc show dev eth0 2>/dev/null | sed -n 's/.*(dropped \\([0-9]*\\),.*/\\1/p' | head -n 1";

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
    /// Frames that the card's driver or the queue before it dropped, by their own counters.
    pub dropped: u64,
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
    let timed = Timed::begin(lab, environment, marked.then_some(load.frames))?;
    let transmitted = timed.transmit(load)?;
    timed.end()?;
    Ok(transmitted)
}

/// Domains that time what is sent: from now on, until the end.
pub struct Timed<'a> {
    lab: &'a Lab,
    /// In the order in which frames come to them.
    domains: Vec<Domain>,
    marked: bool,
}

impl<'a> Timed<'a> {
    /// Has every domain on the way time its part; with `marks`, of loads of so many frames, each frame leaves some.
    pub fn begin(lab: &'a Lab, environment: Environment, marks: Option<u64>) -> Result<Self> {
        let timed = Self {
            lab,
            domains: environment.domains().iter().rev().copied().collect(),
            marked: marks.is_some(),
        };
        for &domain in &timed.domains {
            begin(timed.guest(domain), marks).context(domain)?;
        }
        Ok(timed)
    }

    fn guest(&self, domain: Domain) -> &'a Guest {
        self.lab.guest(place(Role::Measured(domain)))
    }

    /// The one whose card sends.
    pub fn card(&self) -> &'a Guest {
        self.guest(self.domains[self.domains.len() - 1])
    }

    /// Has the guest send; what is told is of this load alone.
    pub fn transmit(&self, load: Load) -> Result<Transmitted> {
        for &domain in &self.domains {
            control(self.guest(domain), &["start", "reset"]).context(domain)?;
        }
        let mut transmitted = send(self.lab, self.guest(self.domains[0]), self.card(), load)?;
        for &domain in &self.domains {
            let (stats, marks) = taken(self.guest(domain), self.marked).context(domain)?;
            transmitted.stats.push((domain, xcap_stats::parse(&stats)?));
            if let Some(marks) = marks {
                transmitted.recordings.push(Recording::parse(&marks)?);
            }
        }
        Ok(transmitted)
    }

    /// xcap is as it was before.
    pub fn end(self) -> Result<()> {
        for &domain in &self.domains {
            let undone = ["marks off", "transmit off", "start"];
            control(self.guest(domain), &undone).context(domain)?;
        }
        Ok(())
    }
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
    Ok(())
}

/// What was measured since the reset, and the marks, which are gone from there.
fn taken(guest: &Guest, marked: bool) -> Result<(String, Option<Vec<u8>>)> {
    control(guest, &["stop"])?;
    let stats = guest.sh(&format!("cat {STATS}"))?;
    let marks = marked.then(|| guest.read_file(MARKS)).transpose()?;
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
    let after = quiet(card)?;
    let arrived = capturer.take().map(arrived).transpose()?;
    Ok(Transmitted {
        sent,
        left: after.sent.saturating_sub(before.sent),
        dropped: after.dropped.saturating_sub(before.dropped),
        arrived,
        stats: Vec::new(),
        recordings: Vec::new(),
    })
}

/// What the card has sent, and what it or its queue dropped.
struct OfCard {
    sent: u64,
    dropped: u64,
}

/// Waits until nothing passes the card.
fn quiet(guest: &Guest) -> Result<OfCard> {
    let said = guest.sh(QUIET)?;
    let counts = said.lines().map(|line| line.trim().parse());
    let counts: Vec<u64> = counts
        .collect::<Result<_, _>>()
        .with_context(|| format!("a counter is no number: {said}"))?;
    Ok(OfCard {
        sent: counts.first().copied().context("no counter of the card")?,
        dropped: counts[1..].iter().sum(),
    })
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
