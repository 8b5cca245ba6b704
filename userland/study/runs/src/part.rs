// SPDX-License-Identifier: GPL-2.0

//! What one machine recorded of one run. The parts of all machines make the run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::run_id::Buffer;
use crate::scenario::Scenario;

/// Version of this form, of frames.json and of environment.json.
pub const FORMAT: u32 = 1;

/// What is to be done in a run; every machine is told the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    pub scenario: Scenario,
    pub buffer: Buffer,
    pub repetition: u32,
    pub frames: u64,
}

/// A machine's counters, by interface and by the kernel's name for the counter.
pub type Counters = BTreeMap<String, BTreeMap<String, u64>>;

/// A machine at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// xcap's `stats`; a sender has none.
    pub stats: Option<String>,
    pub counters: Counters,
}

/// What `xcap-send --json` printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub sent: u64,
    pub seconds: f64,
    pub frames_per_second: f64,
    pub retries: u64,
}

/// What `xcap-recv --json` printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    pub captured: u64,
    pub tp_packets: u64,
    pub tp_drops: u64,
    pub unread: u64,
    pub buffer_bytes: u64,
}

/// One machine's share of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub format: u32,
    pub task: Task,
    /// `sender`, `dom0`, `domU` or `bare`.
    pub role: String,
    pub interface: String,
    pub machine: Machine,
    /// When it began, seconds since 1970.
    pub began: u64,
    pub before: Snapshot,
    pub after: Snapshot,
    pub sent: Option<Sent>,
    pub captured: Option<Captured>,
}

impl Part {
    /// By how much a counter of an interface grew.
    pub fn grown(&self, interface: &str, counter: &str) -> u64 {
        let at = |snapshot: &Snapshot| {
            let interface = snapshot.counters.get(interface);
            interface
                .and_then(|counters| counters.get(counter).copied())
                .unwrap_or(0)
        };
        at(&self.after).saturating_sub(at(&self.before))
    }
}
