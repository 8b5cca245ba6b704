// SPDX-License-Identifier: GPL-2.0

//! A capture of frames that come at one rate, with nothing else looked at: whatever measures, or nothing.

use std::time::Duration;

use anyhow::{bail, Context, Result};
use nix::libc::SIGINT;
use xcap_frames::{Captured, READY};
use xcap_machines::boot::wire::Wire;
use xcap_machines::Lab;
use xcap_wire::{gigabit_ns, Offer};

use super::wire::{frame, SETTLE_NS};
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
}

impl Load {
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
pub fn sender(lab: &Lab) -> Result<&Wire> {
    lab.wire()
        .context("the load takes a sender that keeps the receiver's time: --clock instructions")
}

pub fn trial(lab: &Lab, load: Load) -> Result<Trial> {
    let wire = sender(lab)?;
    let guest = lab.guest(lab.capturing_place());
    let mut command = vec!["xcap-recv".to_owned(), "--json".into()];
    command.extend(["--interface".into(), "eth0".into()]);
    if let Some(bytes) = load.buffer.bytes() {
        command.extend(["--buffer".into(), bytes.to_string()]);
    }
    let mut receiver = guest.spawn(&command)?;
    receiver.wait_for_line(READY, PATIENCE)?;
    let on_wire = wire.offer(&Offer {
        count: load.frames,
        gap_ns: load.gap_ns,
        settle_ns: SETTLE_NS,
        frame: frame(lab.destination(), load.size)?,
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

/// Instructions a second of a machine to which nothing comes.
pub fn idle(lab: &Lab) -> Result<f64> {
    const WATCHED_NS: u64 = 1_000_000_000;
    let watched = sender(lab)?.offer(&Offer {
        count: 0,
        gap_ns: 0,
        settle_ns: WATCHED_NS,
        frame: vec![0],
    })?;
    Ok(watched.instructions as f64 * 1e9 / (watched.end_ns - watched.first_ns) as f64)
}
