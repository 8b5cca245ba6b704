// SPDX-License-Identifier: GPL-2.0

//! Where the frames went.

use std::collections::BTreeSet;

use plotters::style::RGBColor;

use crate::figure::{stacks, theme, Figure, Heading, Stack};
use crate::numbers::percent;
use crate::report::selection::Selection;
use crate::study::Condition;
use crate::tables::{Cell, Table};
use xcap_study::frames::Hop;
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Environment};

/// Where a frame can end: the words in the legend, and the hop's name.
const ENDS: [(&str, &str); 7] = [
    ("captured", "captured"),
    ("lost: wire", "wire"),
    ("lost: NIC", "nic"),
    ("lost: vif queue", "vif"),
    ("lost: netfront", "netfront"),
    ("lost: socket", "socket"),
    ("unaccounted", "unaccounted"),
];

/// Hops that are under Xen alone.
const XENS: [&str; 2] = ["vif", "netfront"];

/// Where the frames went, as one stacked bar a scenario and socket buffer.
pub fn losses(selection: &Selection, environment: Environment) -> Figure {
    let mut table = Table::new(&[
        "scenario",
        "socket",
        "repetition",
        "hop",
        "machine",
        "came",
        "dropped",
        "passed",
        "unaccounted",
        "counted by",
    ]);
    let mut drawn = Vec::new();
    let mut worst: i64 = 0;
    let mut not_counted = BTreeSet::new();
    for &scenario in &selection.scenarios {
        for buffer in Buffer::ALL {
            let condition = Condition {
                environment,
                scenario,
                buffer,
            };
            let runs: Vec<&Run> = selection.study.of(condition).collect();
            drawn.extend(stack(condition, &runs));
            for run in runs {
                worst = worse(worst, run.frames.unaccounted);
                for hop in &run.frames.hops {
                    let missing = hop.not_counted.iter();
                    not_counted.extend(missing.map(|counter| format!("{}'s {counter}", hop.hop)));
                    table.push(row(run, hop));
                }
            }
        }
    }
    let title = format!("{}: where frames were lost", environment.label());
    let subtitle = selection
        .on(environment)
        .world_subtitle("% of the frames sent");
    let heading = Heading::new(&title, &subtitle);
    Figure {
        id: format!("losses-{}", environment.name()),
        svg: stacks(&heading, &legend(environment), &drawn),
        title,
        note: format!(
            "Each drop by the counters of the hop that dropped. {}{}",
            agreement(worst),
            missing(not_counted)
        ),
        table,
    }
}

/// The greater disagreement; of two alike, the one seen first.
fn worse(one: i64, other: i64) -> i64 {
    if other.abs() > one.abs() {
        other
    } else {
        one
    }
}

fn agreement(worst: i64) -> String {
    match worst {
        0 => "The counters of neighbouring hops agree, frame by frame, in every run.".into(),
        worst => format!(
            "The counters of two neighbouring hops disagree by {worst} frames at worst (positive: frames that \
             no counter knows; negative: frames that weren't ours)."
        ),
    }
}

fn missing(counters: BTreeSet<String>) -> String {
    if counters.is_empty() {
        return String::new();
    }
    let counters: Vec<String> = counters.into_iter().collect();
    format!(
        " Not there in some runs, so that what they would count is unaccounted for: {}.",
        counters.join(", ")
    )
}

fn legend(environment: Environment) -> Vec<(String, RGBColor)> {
    ENDS.into_iter()
        .filter(|(_, hop)| environment.is_xen() || !XENS.contains(hop))
        .map(|(words, hop)| (words.to_owned(), theme::of_hop(hop)))
        .collect()
}

/// The bar of a condition's runs; none, if no frame was sent.
fn stack(condition: Condition, runs: &[&Run]) -> Option<Stack> {
    let sent: u64 = runs.iter().map(|run| run.frames.sent).sum();
    let captured: u64 = runs.iter().map(|run| run.frames.captured).sum();
    let hops = || runs.iter().flat_map(|run| &run.frames.hops);
    let parts = ENDS.map(|(_, end)| {
        let frames: u64 = hops().map(|hop| ended(hop, end)).sum();
        let share = frames as f64 / sent as f64;
        (share * 100.0, theme::of_hop(end))
    });
    (sent > 0).then(|| Stack {
        label: format!(
            "{}, {} socket buffer",
            condition.scenario,
            condition.buffer.name()
        ),
        end: format!("{} captured", percent(captured as f64 / sent as f64)),
        parts: parts.into(),
    })
}

/// How many frames ended at `end`, by the counters of `hop`.
fn ended(hop: &Hop, end: &str) -> u64 {
    match end {
        "unaccounted" => hop.unaccounted.max(0) as u64,
        end if end != hop.hop => 0,
        "captured" => hop.came,
        _ => hop.lost(),
    }
}

fn row(run: &Run, hop: &Hop) -> Vec<Cell> {
    vec![
        Cell::text(run.id.scenario.to_string()),
        Cell::text(run.id.buffer.name()),
        Cell::count(run.id.repetition.into()),
        Cell::text(&hop.hop),
        Cell::text(hop.machine),
        Cell::count(hop.came),
        Cell::count(hop.lost()),
        Cell::count(hop.passed),
        Cell::Number(hop.unaccounted as f64, hop.unaccounted.to_string()),
        Cell::text(&hop.source),
    ]
}
