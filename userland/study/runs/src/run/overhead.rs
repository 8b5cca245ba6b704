// SPDX-License-Identifier: GPL-2.0

//! What measuring costs the capture: the same loads with nothing that measures, and with each thing that does.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use xcap_abi::paths::{CONTROL, STATS};
use xcap_machines::{Lab, Place};
use xcap_wire::gigabit_ns;

use super::in_labs::{in_labs, Made};
use super::knee::knee;
use super::lab::LabSource;
pub use super::overhead_rows::{Overhead, Row};
use super::recording::Source;
use super::rivals::{self, Measuring, Rival, Rivals};
use super::trial::{settled_idle, Load};
use super::wire::gap_ns;
use crate::format::FORMAT;
use crate::run_id::{Buffer, Environment};
use crate::scenario::Scenario;

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
    /// Whether the greatest rate without a loss is found, too.
    pub knees: bool,
    /// Other tools that measure the same functions.
    pub rivals: &'a dyn Rivals,
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

    /// Functions that are hooked by now: see [`Row::hooked`].
    fn hooked(&self, lab: &Lab) -> Result<BTreeMap<String, u64>> {
        let mut hooked = BTreeMap::new();
        match self {
            Self::Unloaded | Self::Stopped => {}
            Self::Rival(rival) => {
                hooked.insert(rival.name.clone(), rival.functions.len() as u64);
            }
            Self::Armed(_) => {
                for (place, guest) in lab.guests() {
                    if place == Place::Sender {
                        continue;
                    }
                    let stats = xcap_stats::parse(&guest.sh(&format!("cat {STATS}"))?)?;
                    for backend in stats.stages.into_iter().filter_map(|stage| stage.backend) {
                        *hooked.entry(backend).or_insert(0) += 1;
                    }
                }
            }
        }
        Ok(hooked)
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
pub fn overhead(
    source: &LabSource,
    plan: &Plan,
    tell: impl Fn(&str) + Sync,
) -> Result<Made<Overhead>> {
    let rows = in_labs(
        source,
        &plan.environments,
        false,
        |lab, environment, rows| {
            rows.extend(of_environment(lab, environment, plan, &tell)?);
            Ok(())
        },
    )?;
    Ok(rows.map(|rows| Overhead {
        format: FORMAT,
        frames: plan.frames,
        milliseconds: plan.lasting.as_millis() as u64,
        repetitions: plan.repetitions,
        seed: plan.seed,
        lab: source.emulator(),
        rows,
    }))
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
        let row = |load: &Load| Row::of(environment, probe.name(), load);
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
            let hooked = probe.hooked(lab)?;
            // A machine that was just told to hook its functions has work of its own for a while.
            let idle = settled_idle(lab)?.all;
            for (row, load) in rows[at].iter_mut().zip(&loads) {
                row.add(lab, *load, idle)?;
                row.hooked.clone_from(&hooked);
            }
            if repetition == 1 && plan.knees {
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
    let trials = |row: &Row| row.instructions_per_frame.clone();
    let nothing: Vec<Vec<f64>> = rows[0].iter().map(trials).collect();
    // The first is what the others are compared with.
    rows[0].iter_mut().for_each(Row::average);
    for row in &mut rows[1..] {
        for (row, nothing) in row.iter_mut().zip(&nothing) {
            row.compare(nothing);
        }
    }
    Ok(rows.into_iter().flatten().chain(unable).collect())
}
