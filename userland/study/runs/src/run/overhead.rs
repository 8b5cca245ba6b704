// SPDX-License-Identifier: GPL-2.0

//! What measuring costs the capture: the same loads with nothing that measures, and with each thing that does.

use std::time::Duration;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::paths::CONTROL;
use xcap_machines::{Lab, Place};
use xcap_wire::gigabit_ns;

use super::at_once::at_once;
use super::knee::{bisect, Knee};
use super::lab::LabSource;
use super::recording::{Machines, Source};
use super::trial::{idle, trial, Load};
use super::wire::gap_ns;
use crate::format::FORMAT;
use crate::run_id::{Buffer, Environment};
use crate::scenario::Scenario;
use crate::testbed::Emulator;

/// A knee is found to within this share of its rate.
const KNEE: f64 = 0.01;

/// Rates besides the scenarios' own, in frames a second: some frames meet in a batch.
const BATCHES: f64 = 20e3;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    pub environments: Vec<Environment>,
    /// Of each load, whose mean is shown.
    pub repetitions: u32,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least.
    pub lasting: Duration,
    /// Decides the order.
    pub seed: u64,
}

/// overhead.json
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Overhead {
    /// Version of the format of a run's files.
    pub format: u32,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least: milliseconds by the receiver's clock.
    pub milliseconds: u64,
    /// Trials of each load.
    pub repetitions: u32,
    /// Decides their order.
    pub seed: u64,
    /// What the emulator is, and what its clock counts.
    pub lab: Option<Emulator>,
    pub rows: Vec<Row>,
}

/// A capture with something that measures it, under one load.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub environment: Environment,
    /// What measures.
    pub probe: String,
    /// Why it can't; then there are no figures.
    pub reason: Option<String>,
    /// Bytes of a frame.
    pub size: u16,
    /// Frames a second, by the receiver's clock.
    pub offered_per_second: f64,
    /// Frames that were offered, all trials together.
    pub offered: u64,
    /// Frames that the card had no room for.
    pub lost_on_wire: u64,
    pub captured: u64,
    /// Instructions of the whole receiving machine for each frame that was captured, less what it executes when
    /// nothing comes: of each trial.
    pub instructions_per_frame: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// By how much it exceeds the mean of the capture that nothing measures, in per cent.
    pub more_percent: Option<f64>,
    /// The greatest rate without a loss.
    pub knee: Option<Knee>,
}

/// What measures, and how it is made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    Unloaded,
    Stopped,
    Armed(&'static str),
}

const PROBES: [Probe; 6] = [
    Probe::Unloaded,
    Probe::Stopped,
    Probe::Armed("auto"),
    Probe::Armed("direct"),
    Probe::Armed("fprobe"),
    Probe::Armed("kretprobe"),
];

impl Probe {
    fn name(self) -> String {
        match self {
            Self::Unloaded => "nothing".into(),
            Self::Stopped => "xcap, stopped".into(),
            Self::Armed(backend) => format!("xcap, {backend}"),
        }
    }

    /// What a shell does in each machine that captures.
    fn script(self) -> String {
        const LOAD: &str = "[ -d /sys/module/xcap ] || insmod /lab/xcap.ko";
        match self {
            // Functions that may sleep hold the module while they are hooked directly.
            Self::Unloaded => format!(
                "[ ! -d /sys/module/xcap ] || {{ echo stop >{CONTROL}; echo backend=auto >{CONTROL}; rmmod xcap; }}"
            ),
            Self::Stopped => format!("{LOAD}; echo stop >{CONTROL}"),
            Self::Armed(backend) => format!(
                "{LOAD}; echo stop >{CONTROL}; echo backend={backend} >{CONTROL}; echo start >{CONTROL}"
            ),
        }
    }

    fn make_ready(self, lab: &Lab) -> Result<()> {
        for (place, guest) in lab.guests() {
            if place != Place::Sender {
                guest.sh(&self.script()).with_context(|| self.name())?;
            }
        }
        Ok(())
    }
}

/// The loads: a frame alone, frames that meet in batches, and more than is captured.
fn loads(plan: &Plan) -> Vec<Load> {
    let load = |size, gap_ns| Load {
        size,
        frames: plan.frames,
        gap_ns,
        buffer: Buffer::Large,
    };
    let mut loads = Vec::new();
    for size in [64, 1500] {
        let alone = gap_ns(Scenario { wait_us: 1, size });
        loads.push(load(size, alone));
        loads.push(load(size, 0).at(BATCHES));
        loads.push(load(size, gigabit_ns(size)));
    }
    let lasting = |load: Load| load.lasting(plan.lasting);
    loads.into_iter().map(lasting).collect()
}

/// Measures; `tell` hears of each trial.
pub fn overhead(source: &LabSource, plan: &Plan, tell: impl Fn(&str) + Sync) -> Result<Overhead> {
    let rows = at_once(&plan.environments, |environment| {
        let mut lab = source.boot(environment, false)?;
        let rows = of_environment(&lab, environment, plan, &tell);
        let rows = rows.map_err(|error| lab.explain(error))?;
        Machines::check(&lab)?;
        Ok(rows)
    })?;
    Ok(Overhead {
        format: FORMAT,
        frames: plan.frames,
        milliseconds: plan.lasting.as_millis() as u64,
        repetitions: plan.repetitions,
        seed: plan.seed,
        lab: source.emulator(),
        rows: rows.concat(),
    })
}

fn of_environment(
    lab: &Lab,
    environment: Environment,
    plan: &Plan,
    tell: &impl Fn(&str),
) -> Result<Vec<Row>> {
    let loads = loads(plan);
    let mut rows: Vec<Vec<Row>> = PROBES
        .map(|probe| {
            let row = |load: &Load| Row::of(environment, probe, load);
            loads.iter().map(row).collect()
        })
        .into();
    let mut random = fastrand::Rng::with_seed(plan.seed);
    for repetition in 1..=plan.repetitions {
        let mut order: Vec<usize> = (0..PROBES.len()).collect();
        random.shuffle(&mut order);
        for at in order {
            let probe = PROBES[at];
            probe.make_ready(lab)?;
            let idle = idle(lab)?;
            for (row, load) in rows[at].iter_mut().zip(&loads) {
                row.add(lab, *load, idle)?;
            }
            if repetition == 1 {
                for size in [64, 1500] {
                    let knee = knee(lab, size, plan)?;
                    let of_size = rows[at].iter_mut().filter(|row| row.size == size);
                    of_size.for_each(|row| row.knee = Some(knee));
                }
            }
            tell(&format!(
                "{} {}: repetition {repetition}",
                environment.name(),
                probe.name()
            ));
        }
    }
    let nothing: Vec<Option<f64>> = rows[0].iter().map(Row::of_trials).collect();
    for row in &mut rows {
        for (row, nothing) in row.iter_mut().zip(&nothing) {
            row.compare(*nothing);
        }
    }
    Ok(rows.into_iter().flatten().collect())
}

fn knee(lab: &Lab, size: u16, plan: &Plan) -> Result<Knee> {
    let load = Load {
        size,
        frames: plan.frames,
        gap_ns: 0,
        buffer: Buffer::Large,
    };
    let most = 1e9 / gigabit_ns(size) as f64;
    bisect(1e3, most, KNEE, |rate| {
        let load = load.at(rate).lasting(plan.lasting);
        Ok(trial(lab, load)?.is_lossless())
    })
}

impl Row {
    fn of(environment: Environment, probe: Probe, load: &Load) -> Self {
        Self {
            environment,
            probe: probe.name(),
            reason: None,
            size: load.size,
            offered_per_second: 1e9 / load.gap_ns as f64,
            offered: 0,
            lost_on_wire: 0,
            captured: 0,
            instructions_per_frame: Vec::new(),
            mean: None,
            more_percent: None,
            knee: None,
        }
    }

    fn add(&mut self, lab: &Lab, load: Load, idle: f64) -> Result<()> {
        let trial = trial(lab, load)?;
        let wire = trial.wire;
        let watched = (wire.end_ns - wire.first_ns) as f64 / 1e9;
        let spent = wire.instructions as f64 - idle * watched;
        let captured = trial.captured.captured;
        self.offered += wire.offered;
        self.lost_on_wire += wire.lost;
        self.captured += captured;
        if captured > 0 {
            self.instructions_per_frame.push(spent / captured as f64);
        }
        Ok(())
    }

    fn of_trials(&self) -> Option<f64> {
        let trials = &self.instructions_per_frame;
        (!trials.is_empty()).then(|| trials.iter().sum::<f64>() / trials.len() as f64)
    }

    fn compare(&mut self, nothing: Option<f64>) {
        self.mean = self.of_trials();
        let both = self.mean.zip(nothing);
        self.more_percent = both.map(|(mean, nothing)| (mean / nothing - 1.0) * 100.0);
    }
}
