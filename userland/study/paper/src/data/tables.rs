// SPDX-License-Identifier: GPL-2.0

//! The other tidy tables: runs, where frames went, and what probes cost.

use schemars::JsonSchema;
use serde::Serialize;
use xcap_study::load::Run;
use xcap_study::role::Role;
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::testbed::World;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunRow {
    /// What the capturing program ran on.
    pub environment: Environment,
    /// `w<wait µs>s<bytes>`: the sender's pause between frames, and a frame's size.
    pub scenario: String,
    /// Room of the capturing socket.
    pub buffer: Buffer,
    /// Which run of its kind, from 1.
    pub repetition: u32,
    /// When it began, seconds since 1970.
    pub began: u64,
    /// What its cycles are cycles of.
    pub world: World,
    /// Release of the capturing machine's kernel.
    pub kernel: Option<String>,
    /// Version of Xen.
    pub xen: Option<String>,
    /// Version of the emulator.
    pub qemu: Option<String>,
    /// Frames that were to be sent.
    pub frames: u64,
    /// Frames that were sent.
    pub sent: u64,
    /// The rate that the sender reached, frames a second of the sender's time.
    pub frames_per_second: Option<f64>,
    /// Frames that the program captured.
    pub captured: u64,
    /// The greatest disagreement of two neighbouring hops' counters, frames.
    pub unaccounted: i64,
    /// Size of the capturing socket's buffer, bytes.
    pub buffer_bytes: u64,
}

impl RunRow {
    pub fn of(run: &Run) -> Self {
        let capturing = run
            .id
            .environment
            .domains()
            .iter()
            .find(|domain| domain.captures());
        let machine = capturing.and_then(|domain| run.testbed.machines.get(&Role::from(*domain)));
        let machines = run.testbed.machines.values();
        Self {
            environment: run.id.environment,
            scenario: run.id.scenario.to_string(),
            buffer: run.id.buffer,
            repetition: run.id.repetition,
            began: run.testbed.began,
            world: run.testbed.world,
            kernel: machine.map(|machine| machine.kernel.clone()),
            xen: machines.filter_map(|machine| machine.xen.clone()).next(),
            qemu: run.testbed.lab.as_ref().map(|lab| lab.qemu.clone()),
            frames: run.frames.frames,
            sent: run.frames.sent,
            frames_per_second: run
                .parts
                .get(&Role::Sender)
                .and_then(|part| Some(part.sent.as_ref()?.frames_per_second)),
            captured: run.frames.captured,
            unaccounted: run.frames.unaccounted,
            buffer_bytes: run.frames.buffer_bytes,
        }
    }
}

/// A place that frames come to, in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hop {
    /// What the capturing program ran on.
    pub environment: Environment,
    /// `w<wait µs>s<bytes>`: the sender's pause between frames, and a frame's size.
    pub scenario: String,
    /// Room of the capturing socket.
    pub buffer: Buffer,
    /// Which run of its kind, from 1.
    pub repetition: u32,
    /// Place from the first, 0, to the last.
    pub at: u32,
    /// Its name.
    pub hop: String,
    /// The machine that counted.
    pub machine: String,
    /// Frames that came.
    pub came: u64,
    /// Frames that it dropped.
    pub lost: u64,
    /// Frames that went on: `came` less `lost`.
    pub passed: u64,
    /// What the hop before let pass, less `came`.
    pub unaccounted: i64,
    /// Counters that lost frames: `counter:frames`, by blanks.
    pub dropped: String,
    /// Counters that such a hop has and this one hasn't, by blanks.
    pub not_counted: String,
    /// Whose counters these are.
    pub source: String,
}

pub fn hops(runs: &[Run]) -> impl Iterator<Item = Hop> + '_ {
    let of = |run: &Run, at: u32, hop: &xcap_study::frames::Hop| Hop {
        environment: run.id.environment,
        scenario: run.id.scenario.to_string(),
        buffer: run.id.buffer,
        repetition: run.id.repetition,
        at,
        hop: hop.hop.clone(),
        machine: hop.machine.to_string(),
        came: hop.came,
        lost: hop.lost(),
        passed: hop.passed,
        unaccounted: hop.unaccounted,
        dropped: hop
            .dropped
            .iter()
            .map(|(counter, lost)| format!("{counter}:{lost}"))
            .collect::<Vec<_>>()
            .join(" "),
        not_counted: hop.not_counted.join(" "),
        source: hop.source.clone(),
    };
    runs.iter().flat_map(move |run| {
        (0..)
            .zip(&run.frames.hops)
            .map(move |(at, hop)| of(run, at, hop))
    })
}

/// What a backend's probe cost on an empty function, by the module's calibration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cost {
    /// What the capturing program ran on.
    pub environment: Environment,
    /// `w<wait µs>s<bytes>`: the sender's pause between frames, and a frame's size.
    pub scenario: String,
    /// Room of the capturing socket.
    pub buffer: Buffer,
    /// Which run of its kind, from 1.
    pub repetition: u32,
    /// Machine whose kernel was measured.
    pub domain: Domain,
    /// How the function is hooked.
    pub backend: String,
    /// `hot`, `cold` or, hot and through so many callers, `hot_under_16`.
    pub cache: String,
    /// Hits that were measured.
    pub samples: u64,
    /// Sum of the probe's part of the samples, cycles.
    pub inside: u64,
    /// Sum of what the probe cost outside the samples, cycles.
    pub outside: u64,
    /// What a quarter of the batches did not exceed, of which `inside` is the cheapest's.
    pub inside_quartile: Option<u64>,
    /// The same of `outside`.
    pub outside_quartile: Option<u64>,
    /// Frequency of the TSC, kHz.
    pub tsc_khz: u64,
}

pub fn costs(runs: &[Run]) -> impl Iterator<Item = Cost> + '_ {
    let of = |run: &Run, domain, tsc_khz, cost: &xcap_stats::Cost| Cost {
        environment: run.id.environment,
        scenario: run.id.scenario.to_string(),
        buffer: run.id.buffer,
        repetition: run.id.repetition,
        domain,
        backend: cost.backend.clone(),
        cache: cost.cache.clone(),
        samples: cost.samples,
        inside: cost.inside,
        outside: cost.outside,
        inside_quartile: cost.inside_quartile,
        outside_quartile: cost.outside_quartile,
        tsc_khz,
    };
    runs.iter().flat_map(move |run| {
        run.stats.iter().flat_map(move |(&domain, stats)| {
            let each = stats.costs.iter();
            each.map(move |cost| of(run, domain, stats.tsc_khz, cost))
        })
    })
}
