// SPDX-License-Identifier: GPL-2.0

//! A capture of frames that come at one rate, with nothing else looked at: whatever measures, or nothing.

use std::time::Duration;

use anyhow::{bail, Context, Result};
use nix::libc::SIGINT;
use xcap_frames::{Captured, READY};
use xcap_machines::boot::wire::Wire;
use xcap_machines::{Lab, Place};
use xcap_wire::{gigabit_ns, Offer};

use super::wire::{frame, DRAINED_NS};
use crate::part::OnWire;
use crate::run_id::Buffer;

const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until no frame comes any more, and lets the receiver read what its socket holds.
const QUIET: &str = "cd /sys/class/net/eth0/statistics; last=; \
    while now=$(cat rx_packets rx_dropped) && [ \"$now\" != \"$last\" ]; do last=$now; sleep 0.1; done";

/// What a trial asks for.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Bytes of a frame.
    pub size: u16,
    pub frames: u64,
    pub gap_ns: u64,
    pub buffer: Buffer,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Trial {
    pub wire: OnWire,
    pub captured: Captured,
}

impl Load {
    /// At a rate of frames a second.
    pub fn at(self, rate: f64) -> Self {
        Self {
            gap_ns: ((1e9 / rate).round() as u64).max(gigabit_ns(self.size)),
            ..self
        }
    }

    /// So many frames more that they come for so long.
    pub fn lasting(self, least: Duration) -> Self {
        let frames = (least.as_nanos() as u64).div_ceil(self.gap_ns.max(1));
        Self {
            frames: self.frames.max(frames),
            ..self
        }
    }
}

impl Trial {
    pub fn is_lossless(&self) -> bool {
        self.captured.captured == self.wire.offered
    }
}

/// The sender, which only machines with a clock of instructions have.
fn sender(lab: &Lab) -> Result<&Wire> {
    lab.wire()
        .context("the load takes a sender that keeps the receiver's time: --clock instructions")
}

/// Who captures: in the lab's capturing guest, as the paper did, unless told.
#[derive(Debug, Clone)]
pub struct Capturer {
    pub place: Place,
    /// Where frames are sent to.
    pub destination: &'static str,
    /// What else xcap-recv is told.
    pub more: Vec<String>,
}

impl Capturer {
    pub fn of(lab: &Lab) -> Self {
        Self {
            place: lab.capturing_place(),
            destination: lab.destination(),
            more: Vec::new(),
        }
    }
}

pub fn trial(lab: &Lab, load: Load) -> Result<Trial> {
    trial_by(lab, load, &Capturer::of(lab))
}

/// The same by another capturer than the paper's.
pub fn trial_by(lab: &Lab, load: Load, capturer: &Capturer) -> Result<Trial> {
    let wire = sender(lab)?;
    let guest = lab.guest(capturer.place);
    let mut command = vec!["xcap-recv".to_owned(), "--json".into()];
    command.extend(["--interface".into(), "eth0".into()]);
    if let Some(bytes) = load.buffer.bytes() {
        command.extend(["--buffer".into(), bytes.to_string()]);
    }
    command.extend(capturer.more.iter().cloned());
    let mut receiver = guest.spawn(&command)?;
    receiver.wait_for_line(READY, PATIENCE)?;
    let on_wire = wire.offer(&Offer {
        count: load.frames,
        gap_ns: load.gap_ns,
        settle_ns: DRAINED_NS,
        frame: frame(capturer.destination, load.size)?,
    })?;
    // What queues still hold would be the next trial's.
    guest.sh(QUIET)?;
    receiver.signal(SIGINT)?;
    let said = receiver.wait(PATIENCE)?.ok("xcap-recv")?;
    let captured: Captured = serde_json::from_str(&said).context("xcap-recv printed no report")?;
    if captured.captured > on_wire.offered {
        bail!("more frames were captured than sent: is something else on the wire?");
    }
    Ok(Trial {
        wire: on_wire.into(),
        captured,
    })
}

/// Instructions a second of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Busy {
    pub all: f64,
    /// In user mode.
    pub user: f64,
}

/// Of one to which nothing comes, once it has no other work left: after it has started, it has for a while.
pub fn settled_idle(lab: &Lab) -> Result<Busy> {
    const TRIES: u32 = 30;
    let mut before = watch_idle(lab)?;
    for _ in 0..TRIES {
        let now = watch_idle(lab)?;
        if (now.all - before.all).abs() <= 0.02 * before.all {
            return Ok(now);
        }
        before = now;
    }
    Ok(before)
}

/// Of one to which nothing comes.
fn watch_idle(lab: &Lab) -> Result<Busy> {
    const WATCHED_NS: u64 = 1_000_000_000;
    let watched = sender(lab)?.offer(&Offer {
        count: 0,
        gap_ns: 0,
        settle_ns: WATCHED_NS,
        frame: vec![0],
    })?;
    let seconds = (watched.end_ns - watched.first_ns) as f64 / 1e9;
    Ok(Busy {
        all: watched.instructions as f64 / seconds,
        user: watched.user_instructions as f64 / seconds,
    })
}
