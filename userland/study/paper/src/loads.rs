// SPDX-License-Identifier: GPL-2.0

//! What was found under other loads than the paper's: written as JSON, as tables, and shown.

use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xcap_machines::files::replace;
use xcap_output::print;
use xcap_study::format;
use xcap_study::run::overhead::{Overhead, Row};
use xcap_study::run::sweep::{Point, Sweep};
use xcap_study::run_id::{Domain, Environment};

use crate::data::csv;

/// Their files in a results folder.
pub const SWEEP: &str = "sweep.json";
pub const OVERHEAD: &str = "overhead.json";

/// What a results folder has of both.
pub struct Loads {
    pub sweep: Option<Sweep>,
    pub overhead: Option<Overhead>,
}

impl Loads {
    pub fn read(results: &Path) -> Result<Self> {
        Ok(Self {
            sweep: read(&results.join(SWEEP), "sweep")?,
            overhead: read(&results.join(OVERHEAD), "account of what measuring costs")?,
        })
    }
}

/// What a results folder has in such a file.
pub fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<Option<T>> {
    match path.exists() {
        true => format::read(path, what).map(Some),
        false => Ok(None),
    }
}

/// A row of tables/sweep.csv
#[derive(Serialize, Deserialize, JsonSchema)]
struct RateRow {
    environment: Environment,
    size: u16,
    asked_per_second: f64,
    offered_per_second: f64,
    offered: u64,
    captured: u64,
    captured_per_second: f64,
    lost: u64,
    lost_on_wire: u64,
    instructions_per_frame: Option<f64>,
    latency_frames: Option<u64>,
    latency_median_us: Option<f64>,
    latency_p90_us: Option<f64>,
    latency_p99_us: Option<f64>,
    latency_mean_us: Option<f64>,
    latency_mean_wait_us: Option<f64>,
}

/// A row of tables/sweep-losses.csv
#[derive(Serialize, Deserialize, JsonSchema)]
struct LossRow {
    environment: Environment,
    size: u16,
    offered_per_second: f64,
    hop_and_counter: String,
    lost: u64,
}

/// A row of tables/sweep-stages.csv
#[derive(Serialize, Deserialize, JsonSchema)]
struct StageRow {
    environment: Environment,
    size: u16,
    offered_per_second: f64,
    domain: Domain,
    stage: String,
    calls: u64,
    sum: u128,
    self_sum: u128,
    self_per_frame: Option<f64>,
}

/// A row of tables/knees.csv
#[derive(Serialize, Deserialize, JsonSchema)]
struct KneeRow {
    environment: Environment,
    size: u16,
    passed_per_second: Option<f64>,
    failed_per_second: Option<f64>,
    trials: u32,
}

/// A row of tables/overhead.csv
#[derive(Serialize, Deserialize, JsonSchema)]
struct OverheadRow {
    environment: Environment,
    probe: String,
    reason: Option<String>,
    size: u16,
    offered_per_second: f64,
    offered: u64,
    lost_on_wire: u64,
    captured: u64,
    trials: usize,
    instructions_per_frame: Option<f64>,
    more_percent: Option<f64>,
    more_low: Option<f64>,
    more_high: Option<f64>,
    /// Functions that are hooked, each way: `direct 12, kretprobe 6`.
    hooked: String,
    knee_per_second: Option<f64>,
}

/// Writes the sweep and its tables.
pub fn write_sweep(results: &Path, sweep: &Sweep) -> Result<()> {
    let tables = results.join("tables");
    let rates = sweep.points.iter().map(|point| RateRow {
        environment: point.environment,
        size: point.size,
        asked_per_second: point.asked_per_second,
        offered_per_second: point.offered_per_second,
        offered: point.offered,
        captured: point.captured,
        captured_per_second: point.captured_per_second,
        lost: point.lost.values().sum(),
        lost_on_wire: point.lost.get("wire.no_room").copied().unwrap_or(0),
        instructions_per_frame: point.instructions_per_frame,
        latency_frames: point.latency.map(|of| of.frames),
        latency_median_us: point.latency.map(|of| of.median_us),
        latency_p90_us: point.latency.map(|of| of.p90_us),
        latency_p99_us: point.latency.map(|of| of.p99_us),
        latency_mean_us: point.latency.map(|of| of.mean_us),
        latency_mean_wait_us: point.latency.map(|of| of.mean_wait_us),
    });
    let losses = sweep.points.iter().flat_map(losses);
    let stages = sweep.points.iter().flat_map(stages);
    let knees = sweep.knees.iter().map(|of| KneeRow {
        environment: of.environment,
        size: of.size,
        passed_per_second: of.knee.passed,
        failed_per_second: of.knee.failed,
        trials: of.knee.trials,
    });
    replace(&tables.join("sweep.csv"), csv(rates)?)?;
    replace(&tables.join("sweep-losses.csv"), csv(losses)?)?;
    replace(&tables.join("sweep-stages.csv"), csv(stages)?)?;
    replace(&tables.join("knees.csv"), csv(knees)?)?;
    json(&results.join(SWEEP), sweep)
}

fn losses(point: &Point) -> impl Iterator<Item = LossRow> + '_ {
    point.lost.iter().map(|(place, lost)| LossRow {
        environment: point.environment,
        size: point.size,
        offered_per_second: point.offered_per_second,
        hop_and_counter: place.clone(),
        lost: *lost,
    })
}

fn stages(point: &Point) -> impl Iterator<Item = StageRow> + '_ {
    point.stages.iter().map(|stage| StageRow {
        environment: point.environment,
        size: point.size,
        offered_per_second: point.offered_per_second,
        domain: stage.domain,
        stage: stage.stage.clone(),
        calls: stage.calls,
        sum: stage.sum,
        self_sum: stage.self_sum,
        self_per_frame: stage.self_per_frame,
    })
}

/// Writes what measuring costs, and shows it.
pub fn write_overhead(results: &Path, overhead: &Overhead) -> Result<()> {
    let tables = results.join("tables");
    let rows = overhead.rows.iter().map(|row| OverheadRow {
        environment: row.environment,
        probe: row.probe.clone(),
        reason: row.reason.clone(),
        size: row.size,
        offered_per_second: row.offered_per_second,
        offered: row.offered,
        lost_on_wire: row.lost_on_wire,
        captured: row.captured,
        instructions_per_frame: row.mean,
        trials: row.instructions_per_frame.len(),
        more_percent: row.more_percent,
        more_low: row.more_low,
        more_high: row.more_high,
        hooked: row.hooked_each_way(),
        knee_per_second: row.knee.and_then(|knee| knee.passed),
    });
    replace(&tables.join("overhead.csv"), csv(rows)?)?;
    json(&results.join(OVERHEAD), overhead)?;
    Ok(print(&shown(overhead))?)
}

/// Within 80 columns: what each hooks, then a line a load.
pub fn shown(overhead: &Overhead) -> String {
    let mut text = String::new();
    let mut before = None;
    for row in &overhead.rows {
        let of = (row.environment, &row.probe);
        if before.replace(of) != Some(of) {
            text += &head(row);
        }
        if row.reason.is_none() {
            text += &line(row);
        }
    }
    text
}

fn head(row: &Row) -> String {
    let name = format!("{}, measured by {}", row.environment.name(), row.probe);
    if let Some(reason) = &row.reason {
        return format!("\n{name}: {reason}\n");
    }
    let hooked = match row.hooked_each_way() {
        none if none.is_empty() => String::new(),
        each => format!("functions hooked: {each}\n"),
    };
    format!(
        "\n{name}\n{hooked}{:>5} {:>9} {:>9} {:>11} {:>8} {:>20} {:>9}\n",
        "bytes", "offered/s", "captured", "instr/frame", "more", "95 % interval", "knee/s"
    )
}

fn line(row: &Row) -> String {
    let share = 100.0 * row.captured as f64 / row.offered.max(1) as f64;
    let mean = row.mean.map_or("–".into(), |mean| format!("{mean:.0}"));
    let signed = |value: f64| format!("{value:+.1} %").replace('-', "−");
    let more = row.more_percent.map_or("–".into(), signed);
    let interval = match (row.more_low, row.more_high) {
        (Some(low), Some(high)) => format!("{} to {}", signed(low), signed(high)),
        _ => "–".into(),
    };
    let knee = row.knee.and_then(|knee| knee.passed);
    let knee = knee.map_or("–".into(), |knee| format!("{knee:.0}"));
    format!(
        "{:>5} {:>9.0} {share:>7.1} % {mean:>11} {more:>8} {interval:>20} {knee:>9}\n",
        row.size, row.offered_per_second
    )
}

pub fn json(path: &Path, value: &impl Serialize) -> Result<()> {
    replace(path, serde_json::to_string_pretty(value)? + "\n")
}
