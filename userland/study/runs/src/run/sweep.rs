// SPDX-License-Identifier: GPL-2.0

//! A sweep of offered rates: from idle to overload, and the knee between.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::paths::CONTROL;
use xcap_journeys::summary::Summary;
use xcap_journeys::timeline::Ticks;
use xcap_machines::{Lab, Place};
use xcap_wire::gigabit_ns;

use super::in_labs::{in_labs, Made};
use super::knee::{knee, Knee};
use super::lab::LabSource;
use super::recording::Source;
use super::session::{perform, perform_marked};
use super::trial::{settled_idle, Load};
use crate::format::FORMAT;
use crate::frames::account;
use crate::marked;
use crate::part::{Part, Parts, Task};
use crate::role::Role;
use crate::run_id::{Buffer, Domain, Environment, RunId};
use crate::scenario::Scenario;
use crate::testbed::Emulator;

/// Frames a second that are offered, up to what a gigabit wire carries.
pub const RATES: [f64; 7] = [1e3, 5e3, 20e3, 50e3, 100e3, 200e3, 500e3];

/// What is to be swept.
#[derive(Debug, Clone)]
pub struct Plan {
    pub environments: Vec<Environment>,
    /// Of frames, in bytes.
    pub sizes: Vec<u16>,
    pub buffer: Buffer,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least.
    pub lasting: Duration,
    /// Numbered frames at each rate, whose latency is told; 0: none.
    pub marks: u64,
}

/// sweep.json: what becomes of frames at each rate.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// Version of the format of a run's files.
    pub format: u32,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least: milliseconds by the receiver's clock.
    pub milliseconds: u64,
    /// How much room the capturing socket has.
    pub buffer: Buffer,
    /// What the emulator is, and what its clock counts.
    pub lab: Option<Emulator>,
    pub points: Vec<Point>,
    pub knees: Vec<KneeOf>,
}

/// Frames offered at one rate. Rates are by the receiver's clock.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    pub environment: Environment,
    /// Bytes of a frame.
    pub size: u16,
    /// Frames a second that were to be offered.
    pub asked_per_second: f64,
    /// Frames a second that were.
    pub offered_per_second: f64,
    pub offered: u64,
    pub captured: u64,
    /// Frames captured for each second in which frames were offered; what the buffers held then is read later.
    pub captured_per_second: f64,
    /// Frames lost, by hop and counter.
    pub lost: BTreeMap<String, u64>,
    /// Instructions of the whole receiving machine, hypervisor and probes with it, for each frame that was captured,
    /// less what it executes when nothing comes.
    pub instructions_per_frame: Option<f64>,
    pub stages: Vec<StageCost>,
    /// Of numbered frames that came after these at the same rate.
    pub latency: Option<Latency>,
}

/// How long frames took from the poll that took them from the card to the call that captured them, in µs of the
/// receiver's clock: of those that were captured. Their marks cost time, too.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Frames that were sent for it.
    pub sent: u64,
    /// Of these, those that it is of.
    pub frames: u64,
    pub median_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub most_us: f64,
    pub mean_us: f64,
    /// Of the mean, what they waited between stages.
    pub mean_wait_us: f64,
}

/// What a stage cost at one rate.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StageCost {
    pub domain: Domain,
    pub stage: String,
    pub calls: u64,
    /// Of all calls.
    pub sum: u128,
    /// Less what nested.
    pub self_sum: u128,
    /// Of that, for each frame that came to the domain.
    pub self_per_frame: Option<f64>,
}

/// The greatest rate at which no frame is lost.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KneeOf {
    pub environment: Environment,
    /// Bytes of a frame.
    pub size: u16,
    pub knee: Knee,
}

/// What is found one after another.
enum Found {
    Point(Box<Point>),
    Knee(KneeOf),
}

/// Makes it; `tell` hears of each point and knee.
pub fn sweep(source: &LabSource, plan: &Plan, tell: impl Fn(&str) + Sync) -> Result<Made<Sweep>> {
    let found = in_labs(
        source,
        &plan.environments,
        true,
        |lab, environment, found| of_environment(lab, environment, plan, found, &tell),
    )?;
    Ok(found.map(|found| {
        let (mut points, mut knees) = (Vec::new(), Vec::new());
        for one in found {
            match one {
                Found::Point(point) => points.push(*point),
                Found::Knee(knee) => knees.push(knee),
            }
        }
        Sweep {
            format: FORMAT,
            frames: plan.frames,
            milliseconds: plan.lasting.as_millis() as u64,
            buffer: plan.buffer,
            lab: source.emulator(),
            points,
            knees,
        }
    }))
}

fn of_environment(
    lab: &Lab,
    environment: Environment,
    plan: &Plan,
    found: &mut Vec<Found>,
    tell: &impl Fn(&str),
) -> Result<()> {
    hook(lab)?;
    let idle = settled_idle(lab)?.all;
    for &size in &plan.sizes {
        let most = 1e9 / gigabit_ns(size) as f64;
        let rates = RATES.into_iter().filter(|rate| *rate < most);
        for rate in rates.chain([most]) {
            let point = point(lab, environment, plan, size, rate, idle)?;
            tell(&format!(
                "{} {size} bytes: {:.0}/s offered, {} of {} captured",
                environment.name(),
                point.offered_per_second,
                point.captured,
                point.offered
            ));
            found.push(Found::Point(Box::new(point)));
        }
        let load = Load {
            size,
            frames: plan.frames,
            gap_ns: 0,
            buffer: plan.buffer,
        };
        // The points' recorders take the hooks off when they are done.
        hook(lab)?;
        let knee = knee(lab, load, plan.lasting)?;
        tell(&format!(
            "{} {size} bytes: no loss up to {:.0}/s",
            environment.name(),
            knee.passed.unwrap_or(0.0)
        ));
        found.push(Found::Knee(KneeOf {
            environment,
            size,
            knee,
        }));
    }
    Ok(())
}

/// Has each machine that captures time its stages.
fn hook(lab: &Lab) -> Result<()> {
    for (place, guest) in lab.guests() {
        if place != Place::Sender {
            guest.sh(&format!("echo start >{CONTROL}"))?;
        }
    }
    Ok(())
}

fn point(
    lab: &Lab,
    environment: Environment,
    plan: &Plan,
    size: u16,
    rate: f64,
    idle: f64,
) -> Result<Point> {
    let scenario = Scenario { wait_us: 0, size };
    let load = Load {
        size,
        frames: plan.frames,
        gap_ns: 0,
        buffer: plan.buffer,
    };
    let load = load.at(rate).lasting(plan.lasting);
    let task = Task {
        scenario,
        buffer: plan.buffer,
        repetition: 1,
        frames: load.frames,
        gap_ns: Some(load.gap_ns),
    };
    let run = RunId {
        environment,
        scenario,
        buffer: plan.buffer,
        repetition: 1,
    };
    let parts = perform(lab, task)?;
    let frames = account(run, &parts).map_err(anyhow::Error::msg)?;
    let wire = parts
        .get(&Role::Sender)
        .and_then(|sender| sender.wire)
        .context("the sender says nothing of the wire")?;
    let seconds = (wire.last_ns - wire.first_ns) as f64 / 1e9;
    let spent = wire.beyond(idle);
    let lost = frames.hops.iter().flat_map(|hop| {
        let counters = hop.dropped.iter();
        counters.map(|(counter, lost)| (format!("{}.{counter}", hop.hop), *lost))
    });
    Ok(Point {
        environment,
        size,
        asked_per_second: rate,
        offered_per_second: wire.rate().unwrap_or(0.0),
        offered: wire.offered,
        captured: frames.captured,
        captured_per_second: frames.captured as f64 / seconds,
        lost: lost.collect(),
        instructions_per_frame: (frames.captured > 0).then(|| spent / frames.captured as f64),
        stages: stages(&parts, |domain| frames.at(domain))?,
        latency: match plan.marks {
            0 => None,
            marks => latency(
                lab,
                run,
                Task {
                    frames: marks,
                    ..task
                },
            )?,
        },
    })
}

/// None, where no frame was captured.
fn latency(lab: &Lab, run: RunId, task: Task) -> Result<Option<Latency>> {
    let folder = tempfile::tempdir()?;
    let marked = marked::keep(folder.path(), run, perform_marked(lab, task)?)?;
    let summary = Summary::new(&marked.analysis);
    let us = |ticks: f64| ticks * 1e3 / summary.tsc_khz as f64;
    let mean = |sum: Ticks| us(sum as f64 / summary.complete as f64);
    Ok(summary.total.as_ref().map(|total| Latency {
        sent: marked.frames.sent,
        frames: summary.complete,
        median_us: us(total.p50 as f64),
        p90_us: us(total.p90 as f64),
        p99_us: us(total.p99 as f64),
        most_us: us(total.max as f64),
        mean_us: mean(summary.total_ticks),
        mean_wait_us: mean(summary.wait_ticks),
    }))
}

fn stages(parts: &Parts, came: impl Fn(Domain) -> u64) -> Result<Vec<StageCost>> {
    let mut costs = Vec::new();
    for (role, part) in parts {
        let Role::Measured(domain) = *role else {
            continue;
        };
        costs.extend(of_part(part, domain, came(domain))?);
    }
    Ok(costs)
}

fn of_part(part: &Part, domain: Domain, frames: u64) -> Result<Vec<StageCost>> {
    let measured = part.measured()?;
    let called = measured.stages.iter().filter(|stage| stage.count > 0);
    let cost = |stage: &xcap_stats::Stage| StageCost {
        domain,
        stage: stage.stage.clone(),
        calls: stage.count,
        sum: stage.sum,
        self_sum: stage.self_sum,
        self_per_frame: (frames > 0).then(|| stage.self_sum as f64 / frames as f64),
    };
    Ok(called.map(cost).collect())
}
