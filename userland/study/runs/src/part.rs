// SPDX-License-Identifier: GPL-2.0

//! What one machine recorded of one run. The parts of all machines make the run.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_frames::{Captured, Sent};
use xcap_stats::Stats;
use xcap_wire::Offered;

use crate::cpu_time::CpuTime;
use crate::machine::Machine;
use crate::role::Role;
use crate::run_id::{Buffer, Environment};
use crate::scenario::Scenario;

/// What is to be done in a run; every machine is told the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Task {
    pub scenario: Scenario,
    pub buffer: Buffer,
    pub repetition: u32,
    pub frames: u64,
    /// From the beginning of one frame to that of the next, in the receiver's time; none: the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_ns: Option<u64>,
}

/// A machine's counters, by interface and by the kernel's name for the counter.
pub type Counters = BTreeMap<String, BTreeMap<String, u64>>;

/// Among the interfaces' names: what all of them share, /proc/net/softnet_stat. No interface's name has a slash.
pub const SOFTNET: &str = "net/softnet_stat";

/// A machine at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// xcap's `stats`; a sender has none.
    pub stats: Option<String>,
    pub counters: Counters,
}

/// What became of frames on the wire, where the sender is in the receiver's emulator. Times are the receiver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnWire {
    /// Frames that were put on the wire.
    pub offered: u64,
    /// Of these, those for which the card had no room when they came.
    pub lost: u64,
    /// When the first frame was put on the wire, and the last, in nanoseconds.
    pub first_ns: u64,
    pub last_ns: u64,
    /// When the last frame's work was taken to be done.
    pub end_ns: u64,
    /// Instructions that the receiving machine executed from the first frame to then.
    pub instructions: u64,
    /// Of these, those in user mode; none: it was made by an earlier xcap, which didn't count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_instructions: Option<u64>,
}

impl From<Offered> for OnWire {
    fn from(offered: Offered) -> Self {
        Self {
            offered: offered.offered,
            lost: offered.lost,
            first_ns: offered.first_ns,
            last_ns: offered.last_ns,
            end_ns: offered.end_ns,
            instructions: offered.instructions,
            user_instructions: Some(offered.user_instructions),
        }
    }
}

impl OnWire {
    /// Frames a second of the receiver's time; none where there is no time between two.
    pub fn rate(&self) -> Option<f64> {
        let ns = self
            .last_ns
            .checked_sub(self.first_ns)
            .filter(|ns| *ns > 0)?;
        Some((self.offered - 1) as f64 * 1e9 / ns as f64)
    }

    /// How long instructions were counted.
    pub fn watched_seconds(&self) -> f64 {
        (self.end_ns - self.first_ns) as f64 / 1e9
    }

    /// Instructions beyond those of a machine that executes `idle` a second when nothing comes.
    pub fn beyond(&self, idle: f64) -> f64 {
        self.instructions as f64 - idle * self.watched_seconds()
    }
}

/// One machine's share of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// [`crate::format::FORMAT`].
    pub format: u32,
    pub task: Task,
    pub role: Role,
    pub interface: String,
    pub machine: Machine,
    /// When it began, seconds since 1970.
    pub began: u64,
    pub before: Snapshot,
    pub after: Snapshot,
    /// What `xcap-send --json` printed.
    pub sent: Option<Sent>,
    /// What became of the frames on the wire, where the sender is in the receiver's emulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<OnWire>,
    /// What `xcap-recv --json` printed.
    pub captured: Option<Captured>,
    /// How its CPUs spent the time between `before` and `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<CpuTime>,
    /// What it did while nothing was sent, before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
}

/// A machine to which no frame comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// xcap's `stats` of that time, from a reset on.
    pub stats: String,
    pub time: CpuTime,
}

impl Idle {
    /// What xcap measured; none where that can't be read.
    pub fn measured(&self) -> Option<Stats> {
        xcap_stats::parse(&self.stats).ok()
    }
}

/// All parts of a run.
pub type Parts = BTreeMap<Role, Part>;

impl Part {
    /// By how much a counter of an interface grew; none: it wasn't read, before or after.
    pub fn grown(&self, interface: &str, counter: &str) -> Option<u64> {
        let at = |snapshot: &Snapshot| snapshot.counters.get(interface)?.get(counter).copied();
        Some(at(&self.after)?.saturating_sub(at(&self.before)?))
    }

    /// By how much a counter of its own interface grew.
    pub fn own(&self, counter: &str) -> Option<u64> {
        self.grown(&self.interface, counter)
    }

    /// What xcap measured here from before the first frame to after the last.
    pub fn measured(&self) -> Result<Stats> {
        let parsed = |snapshot: &Snapshot| {
            let text = snapshot.stats.as_deref();
            let text = text.with_context(|| format!("{} has no stats", self.role))?;
            xcap_stats::parse(text).with_context(|| format!("the stats of {}", self.role))
        };
        let (before, after) = (parsed(&self.before)?, parsed(&self.after)?);
        let measured = xcap_stats::difference(&before, &after);
        measured.map_err(|error| anyhow::Error::msg(format!("{}: {error}", self.role)))
    }
}

/// What was captured on, told by the role that the capturing machine's xcap gave itself.
pub fn environment(parts: &Parts) -> Result<Environment> {
    let Some(domu) = parts.get(&Role::DOMU) else {
        return Ok(Environment::Native);
    };
    let text = domu.after.stats.as_deref().unwrap_or_default();
    match xcap_stats::parse(text)?.role.as_str() {
        "domU-pv" => Ok(Environment::XenPv),
        "domU-pvh" => Ok(Environment::XenPvh),
        _ => Ok(Environment::XenHvm),
    }
}
