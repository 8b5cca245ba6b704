// SPDX-License-Identifier: GPL-2.0

//! On what machines, when, and what xcap warned of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use maud::{html, Markup};

use super::parts::{section, table};
use crate::numbers::whole;
use crate::report::model::Report;
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::machine::Machine;
use xcap_study::role::Role;

pub fn conditions(report: &Report) -> Markup {
    let runs = &report.selection.study.runs;
    let warnings = warnings(runs);
    section(
        "conditions",
        "Conditions",
        html! {
            p { (period(runs)) }
            (table(&machines(runs), "machines"))
            @if !warnings.is_empty() {
                h3 { "What xcap warned of" }
                ul { @for (warning, runs) in warnings { li { (warning) " " span.muted { "(" (runs) " readings)" } } } }
            }
            (settings(runs))
        },
    )
}

/// Each machine once, and again where its kernel or its CPU was another.
fn machines(runs: &[Run]) -> Table {
    let mut table = Table::new(&[
        "environment",
        "machine",
        "kernel",
        "CPU",
        "CPUs",
        "Xen",
        "QEMU",
        "clock",
        "card's driver",
        "TSC, MHz",
        "probe's floor (direct, hot)",
    ]);
    let mut seen = BTreeSet::new();
    for run in runs {
        for (&role, machine) in &run.testbed.machines {
            let (kernel, cpu) = (&machine.kernel, &machine.cpu);
            if seen.insert((run.id.environment, role, kernel, cpu)) {
                table.push(row(run, role, machine));
            }
        }
    }
    table
}

fn row(run: &Run, role: Role, machine: &Machine) -> Vec<Cell> {
    let text = |value: &Option<String>| Cell::text(value.as_deref().unwrap_or("–"));
    let stats = run
        .stats
        .iter()
        .find(|(domain, _)| Role::from(**domain) == role)
        .map(|(_, stats)| stats);
    let lab = run.testbed.lab.as_ref();
    vec![
        Cell::text(run.id.environment.label()),
        Cell::text(role),
        Cell::text(&machine.kernel),
        Cell::text(&machine.cpu),
        Cell::count(machine.cpus as u64),
        text(&machine.xen),
        text(&lab.map(|lab| format!("{}, {}", lab.qemu, lab.accelerator))),
        text(&machine.clocksource),
        text(&machine.driver),
        Cell::rounded(stats.map(|stats| stats.tsc_khz as f64 / 1000.0)),
        Cell::rounded(stats.and_then(floor)),
    ]
}

/// What the machines' settings do to figures, and all settings.
fn settings(runs: &[Run]) -> Markup {
    let mut warnings: BTreeMap<(Role, String), usize> = BTreeMap::new();
    let mut all: BTreeSet<(&'static str, Role, &str, &str)> = BTreeSet::new();
    for run in runs {
        for (&role, machine) in &run.testbed.machines {
            let time = run.parts.get(&role).and_then(|part| part.time);
            for warning in machine.warnings(time) {
                *warnings.entry((role, warning)).or_default() += 1;
            }
            let each = machine.settings.iter();
            let environment = run.id.environment.label();
            all.extend(
                each.map(|(name, value)| (environment, role, name.as_str(), value.as_str())),
            );
        }
    }
    // Each start of a machine has its own.
    all.retain(|(_, _, name, _)| *name != "boot id");
    html! {
        @if !warnings.is_empty() {
            h3 { "What the machines' settings do" }
            ul { @for ((role, warning), runs) in &warnings {
                li { (role) ": " (warning) " " span.muted { "(" (runs) " runs)" } }
            } }
        }
        @if !all.is_empty() {
            details { summary { "All settings" }
                div.wide tabindex="0" role="region" aria-label="Table settings" { table {
                    thead { tr { th { "environment" } th { "machine" } th { "setting" } th { "value" } } }
                    tbody { @for (environment, role, name, value) in &all {
                        tr { td { (environment) } td { (role) } td { (name) } td { pre { (value) } } }
                    } }
                } }
            }
        }
    }
}

/// What a probe costs at least: placed directly, and with hot caches.
fn floor(stats: &xcap_stats::Stats) -> Option<f64> {
    let cost = stats
        .costs
        .iter()
        .find(|cost| cost.backend == "direct" && cost.cache == "hot")?;
    (cost.samples > 0).then(|| cost.inside as f64 / cost.samples as f64)
}

/// Each warning once, without the figures that differ from run to run.
fn warnings(runs: &[Run]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for stats in runs.iter().flat_map(|run| run.stats.values()) {
        for warning in xcap_stats::Report::new(stats, xcap_stats::Options::default()).warnings {
            // Each capture ends in a recvfrom that `stop` cuts off.
            if warning.contains("straddled") {
                continue;
            }
            let kind: String = warning
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
                .to_owned();
            match found.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, readings)) => *readings += 1,
                None => found.push((kind, 1)),
            }
        }
    }
    found.sort_by_key(|(_, readings)| Reverse(*readings));
    found.truncate(12);
    found
}

fn period(runs: &[Run]) -> String {
    let times = || runs.iter().map(|run| run.testbed.began);
    let date = |seconds: Option<u64>| {
        let stamp = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds as i64).ok());
        stamp.map_or("an unknown time".into(), |stamp| {
            stamp.strftime("%Y-%m-%d %H:%M UTC").to_string()
        })
    };
    let frames: BTreeSet<u64> = runs.iter().map(|run| run.frames.frames).collect();
    let frames: Vec<String> = frames.into_iter().map(whole).collect();
    format!(
        "Recorded from {} to {}, {} frames a run.",
        date(times().min()),
        date(times().max()),
        frames.join(" or ")
    )
}
