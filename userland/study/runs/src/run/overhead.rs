// SPDX-License-Identifier: GPL-2.0

//! What measuring costs the capture: the same loads with nothing that measures, and with each thing that does.

use std::time::Duration;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::paths::CONTROL;
use xcap_machines::{Lab, Place};
use xcap_wire::gigabit_ns;

use super::in_labs::in_labs;
use super::knee::{knee, Knee};
use super::lab::LabSource;
use super::recording::Source;
use super::rivals::{self, Measuring, Rival, Rivals};
use super::trial::{idle, trial, Load};
use super::wire::gap_ns;
use crate::format::FORMAT;
use crate::run_id::{Buffer, Environment};
use crate::scenario::Scenario;
use crate::testbed::Emulator;

/// Rates besides the scenarios' own, in frames a second: some frames meet in a batch.
const BATCHES: f64 = 20e3;

/// Of frames, in bytes.
const SIZES: [u16; 2] = [64, 1500];

/// What measures a capture that nothing measures.
pub const NOTHING: &str = "nothing";

/// What is to be measured.
pub struct Plan<'a> {
    pub environments: Vec<Environment>,
    /// Of each load, whose mean is shown.
    pub repetitions: u32,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least.
    pub lasting: Duration,
    /// Decides the order.
    pub seed: u64,
    /// Other tools that measure the same functions.
    pub rivals: &'a dyn Rivals,
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
#[derive(Debug, Clone)]
enum Probe {
    Unloaded,
    Stopped,
    Armed(&'static str),
    Rival(Rival),
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
    fn name(&self) -> String {
        match self {
            Self::Unloaded => NOTHING.into(),
            Self::Stopped => "xcap, stopped".into(),
            Self::Armed(backend) => format!("xcap, {backend}"),
            Self::Rival(rival) => rival.name.clone(),
        }
    }

    /// What a shell does in each machine that captures.
    fn script(&self) -> String {
        const LOAD: &str = "[ -d /sys/module/xcap ] || insmod /lab/xcap.ko";
        match self {
            // Functions that may sleep hold the module while they are hooked directly.
            Self::Unloaded | Self::Rival(_) => format!(
                "[ ! -d /sys/module/xcap ] || {{ echo stop >{CONTROL}; echo backend=auto >{CONTROL}; rmmod xcap; }}"
            ),
            Self::Stopped => format!("{LOAD}; echo stop >{CONTROL}"),
            Self::Armed(backend) => format!(
                "{LOAD}; echo stop >{CONTROL}; echo backend={backend} >{CONTROL}; echo start >{CONTROL}"
            ),
        }
    }

    /// What is returned runs as long as it measures.
    fn make_ready(&self, lab: &Lab) -> Result<Option<Measuring>> {
        for (place, guest) in lab.guests() {
            if place != Place::Sender {
                guest.sh(&self.script()).with_context(|| self.name())?;
            }
        }
        match self {
            Self::Rival(rival) => rival.start(lab).map(Some),
            _ => Ok(None),
        }
    }
}

fn load(plan: &Plan, size: u16, gap_ns: u64) -> Load {
    Load {
        size,
        frames: plan.frames,
        gap_ns,
        buffer: Buffer::Large,
    }
}

/// The loads: a frame alone, frames that meet in batches, and more than is captured.
fn loads(plan: &Plan) -> Vec<Load> {
    let mut loads = Vec::new();
    for size in SIZES {
        let alone = gap_ns(Scenario { wait_us: 1, size });
        loads.push(load(plan, size, alone));
        loads.push(load(plan, size, 0).at(BATCHES));
        loads.push(load(plan, size, gigabit_ns(size)));
    }
    let lasting = |load: Load| load.lasting(plan.lasting);
    loads.into_iter().map(lasting).collect()
}

/// Measures; `tell` hears of each trial.
pub fn overhead(source: &LabSource, plan: &Plan, tell: impl Fn(&str) + Sync) -> Result<Overhead> {
    let rows = in_labs(source, &plan.environments, false, |lab, environment| {
        of_environment(lab, environment, plan, &tell)
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
    let mut probes: Vec<Probe> = PROBES.into();
    let mut rows: Vec<Vec<Row>> = Vec::new();
    let mut unable = Vec::new();
    for rival in rivals::ready(lab, environment, plan.rivals)? {
        match rival {
            Ok(rival) => probes.push(Probe::Rival(rival)),
            Err((name, reason)) => unable.push(Row::unable(environment, name, reason)),
        }
    }
    for probe in &probes {
        let row = |load: &Load| Row::of(environment, probe, load);
        rows.push(loads.iter().map(row).collect());
    }
    let mut random = fastrand::Rng::with_seed(plan.seed);
    for repetition in 1..=plan.repetitions {
        let mut order: Vec<usize> = (0..probes.len()).collect();
        random.shuffle(&mut order);
        for at in order {
            let probe = &probes[at];
            if let Some(reason) = rows[at].first().and_then(|row| row.reason.as_ref()) {
                tell(&format!("{}: left out: {reason}", probe.name()));
                continue;
            }
            let measuring = match probe.make_ready(lab) {
                Ok(measuring) => measuring,
                Err(error) if matches!(probe, Probe::Rival(_)) => {
                    let reason = format!("{error:#}");
                    rows[at] = vec![Row::unable(environment, probe.name(), reason)];
                    continue;
                }
                Err(error) => return Err(error),
            };
            let idle = idle(lab)?;
            for (row, load) in rows[at].iter_mut().zip(&loads) {
                row.add(lab, *load, idle)?;
            }
            if repetition == 1 {
                for size in SIZES {
                    let knee = knee(lab, load(plan, size, 0), plan.lasting)?;
                    let of_size = rows[at].iter_mut().filter(|row| row.size == size);
                    of_size.for_each(|row| row.knee = Some(knee));
                }
            }
            if let Some(measuring) = measuring {
                measuring.end()?;
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
    Ok(rows.into_iter().flatten().chain(unable).collect())
}

impl Row {
    fn of(environment: Environment, probe: &Probe, load: &Load) -> Self {
        Self {
            size: load.size,
            offered_per_second: 1e9 / load.gap_ns as f64,
            reason: None,
            ..Self::unable(environment, probe.name(), String::new())
        }
    }

    /// Of what can't measure, and why.
    fn unable(environment: Environment, probe: String, reason: String) -> Self {
        Self {
            environment,
            probe,
            reason: Some(reason),
            size: 0,
            offered_per_second: 0.0,
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
        let spent = wire.beyond(idle);
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
