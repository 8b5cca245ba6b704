// SPDX-License-Identifier: GPL-2.0

//! The scenario pair of sending: a guest that sends now and then, and one that sends as fast as it can.

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::stage::Stage;
use xcap_journeys::distribution::Distribution;
use xcap_journeys::summary::{self, Summary, Told};
use xcap_journeys::told;
use xcap_journeys::unit::Unit;
use xcap_machines::Lab;
use xcap_stats::report::StageReport;

use super::in_labs::{in_labs, Made};
use super::lab::LabSource;
use super::recording::Source;
use super::transmit::{transmit, Load, Transmitted};
use crate::format::FORMAT;
use crate::layout;
use crate::run_id::{Domain, Environment};
use crate::scenario::Scenario;
use crate::testbed::Emulator;

/// Between frames of a sender that has little to send: all queues are empty again.
const IDLE_US: u32 = 20_000;

/// Of such a sender: they cost the same each.
const MOST_APART: u64 = 200;

/// What is to be measured.
pub struct Plan {
    pub environments: Vec<Environment>,
    /// Bytes of a frame.
    pub size: u16,
    /// Frames sent as fast as they go.
    pub frames: u64,
}

/// transmit.json
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sending {
    /// Version of the format of a run's files.
    pub format: u32,
    pub lab: Emulator,
    pub runs: Vec<Sent>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    pub environment: Environment,
    pub scenario: Scenario,
    /// Frames that the program sent.
    pub sent: u64,
    /// Frames that the card sent, by its own counter.
    pub left: u64,
    /// Frames a second, by the sender's clock.
    pub frames_per_second: f64,
    /// In the order in which frames come to them.
    pub stages: Vec<OfStage>,
    /// Of as many numbered frames, sent after these: marks cost time at every stage.
    pub journeys: Journeys,
}

/// What one stage cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfStage {
    pub domain: Domain,
    pub stage: String,
    pub function: String,
    pub calls: u64,
    /// Self time of all calls by frames sent, less what the probes cost, in the lab's unit.
    pub self_per_frame: f64,
}

/// How frames fared between the first stage and the last, in the lab's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Journeys {
    pub sent: u64,
    /// Frames with a whole journey; the sums are of these.
    pub complete: u64,
    pub service_ticks: u64,
    pub wait_ticks: u64,
    pub total_ticks: u64,
    /// In a sentence.
    pub told: String,
    pub places: Vec<AtPlace>,
    /// The frame that half of the others took no longer than, and the one that 99 % took no longer than.
    #[serde(default)]
    pub median: Option<Followed>,
    #[serde(default)]
    pub p99: Option<Followed>,
}

/// One frame, from the first stage to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Followed {
    /// Its number.
    pub frame: u64,
    pub service_ticks: u64,
    pub wait_ticks: u64,
    pub total_ticks: u64,
    pub parts: Vec<Part>,
}

/// A part of a frame's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// `service` at the place, wait `before` it or `within` it.
    pub what: String,
    pub domain: String,
    pub place: String,
    /// From the frame's beginning.
    pub from_ticks: u64,
    pub ticks: u64,
}

/// What frames spent at a place: of each its median, and no median frame spends all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtPlace {
    pub domain: String,
    pub place: String,
    pub service_p50: u64,
    /// Waiting for the place, and in it while it did something else.
    pub wait_p50: u64,
    pub wait_p99: u64,
    /// The mean over all frames with a whole journey: these add up to the mean frame's whole time.
    #[serde(default)]
    pub service_mean: f64,
    #[serde(default)]
    pub wait_before_mean: f64,
    #[serde(default)]
    pub wait_within_mean: f64,
}

/// The paper's word for both.
fn pair(plan: &Plan) -> [Load; 2] {
    let load = |wait_us, frames| Load {
        scenario: Scenario {
            wait_us,
            size: plan.size,
        },
        frames,
    };
    [
        load(IDLE_US, plan.frames.min(MOST_APART)),
        load(0, plan.frames),
    ]
}

/// Measures; `tell` hears of each scenario.
pub fn sending(
    source: &LabSource,
    plan: &Plan,
    tell: impl Fn(&str) + Sync,
) -> Result<Made<Sending>> {
    let lab = source
        .emulator()
        .context("the lab says nothing of its emulator")?;
    let unit = lab.unit;
    let runs = in_labs(
        source,
        &plan.environments,
        true,
        |lab, environment, runs| {
            for load in pair(plan) {
                let run = one(lab, environment, load, unit)?;
                tell(&format!(
                    "{}, {}: {}",
                    environment.name(),
                    load.scenario,
                    run.journeys.told
                ));
                runs.push(run);
            }
            Ok(())
        },
    )?;
    Ok(runs.map(|runs| Sending {
        format: FORMAT,
        lab,
        runs,
    }))
}

fn one(lab: &Lab, environment: Environment, load: Load, unit: Unit) -> Result<Sent> {
    let measured = transmit(lab, environment, load, false)?;
    let marked = transmit(lab, environment, load, true)?;
    let summary = Summary::new(&marked.analysis()?.in_unit(unit));
    Ok(Sent {
        environment,
        scenario: load.scenario,
        sent: measured.sent.sent,
        left: measured.left,
        frames_per_second: measured.sent.frames_per_second,
        stages: stages(&measured),
        journeys: journeys(&summary),
    })
}

/// Stages that frames come to, and what sending has the guest and the backend do besides.
fn is_of_sending(stage: &StageReport) -> bool {
    let known = Stage::parse(&stage.stage);
    let is_its = known.is_some_and(|known| {
        let shared = [Stage::Bridge, Stage::GrantCopy, Stage::Notify];
        known.is_transmit() || shared.contains(&known)
    });
    is_its && stage.count > 0
}

fn stages(measured: &Transmitted) -> Vec<OfStage> {
    let frames = measured.sent.sent.max(1) as f64;
    let mut all = Vec::new();
    for (domain, stats) in &measured.stats {
        let report = layout::report(stats);
        for stage in report.stages.iter().filter(|stage| is_of_sending(stage)) {
            let corrected = stage.corrected.and_then(|corrected| corrected.self_mean);
            let mean = corrected.or(stage.self_time.mean).unwrap_or(0.0);
            all.push(OfStage {
                domain: *domain,
                stage: stage.stage.clone(),
                function: stage.function.clone().unwrap_or_default(),
                calls: stage.count,
                self_per_frame: mean * stage.count as f64 / frames,
            });
        }
    }
    all
}

fn ticks(ticks: i128) -> u64 {
    u64::try_from(ticks).unwrap_or(0)
}

fn journeys(summary: &Summary) -> Journeys {
    Journeys {
        sent: summary.sent.unwrap_or(0),
        complete: summary.complete,
        service_ticks: ticks(summary.service_ticks),
        wait_ticks: ticks(summary.wait_ticks),
        total_ticks: ticks(summary.total_ticks),
        told: told::line_of(summary, "sent"),
        places: places(summary),
        median: summary.median.as_ref().map(followed),
        p99: summary.p99.as_ref().map(followed),
    }
}

fn places(summary: &Summary) -> Vec<AtPlace> {
    let mean = |spent: &Option<Distribution>| {
        let sum = spent.as_ref().map_or(0, |spent| spent.sum);
        sum as f64 / summary.complete.max(1) as f64
    };
    let place = |place: &summary::AtPlace| {
        let (before, within) = (place.wait_before.as_ref(), place.wait_within.as_ref());
        let waits = || before.into_iter().chain(within);
        let service = place.service.as_ref();
        AtPlace {
            domain: place.domain.to_owned(),
            place: place.place.clone(),
            service_p50: service.map_or(0, |service| ticks(service.p50)),
            wait_p50: waits().map(|wait| ticks(wait.p50)).sum(),
            wait_p99: waits().map(|wait| ticks(wait.p99)).sum(),
            service_mean: mean(&place.service),
            wait_before_mean: mean(&place.wait_before),
            wait_within_mean: mean(&place.wait_within),
        }
    };
    summary.places.iter().map(place).collect()
}

fn followed(frame: &Told) -> Followed {
    let part = |part: &summary::Part| Part {
        what: part.what.to_owned(),
        domain: part.domain.to_owned(),
        place: part.place.clone(),
        from_ticks: ticks(part.from_ticks),
        ticks: ticks(part.ticks),
    };
    Followed {
        frame: frame.frame,
        service_ticks: ticks(frame.service_ticks),
        wait_ticks: ticks(frame.wait_ticks),
        total_ticks: ticks(frame.total_ticks),
        parts: frame.parts.iter().map(part).collect(),
    }
}
