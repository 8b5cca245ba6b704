// SPDX-License-Identifier: GPL-2.0

//! Other loads than the paper's: rates from idle to overload, and what measuring costs a capture.

use plotters::style::RGBColor;

use crate::figure::{lines, rows, theme, Figure, Group, Heading, Line, Row, Scale};
use crate::report::selection::world_word;
use crate::tables::{Cell, Table};
use xcap_study::run::overhead::{self, Overhead};
use xcap_study::run::sweep::{Point, Sweep};
use xcap_study::run_id::Environment;
use xcap_study::testbed::World;

const COLOURS: [RGBColor; 8] = [
    theme::SUMS,
    theme::MEASURED,
    theme::MEANS,
    theme::ORANGE,
    theme::GREY,
    theme::INK,
    theme::MUTED,
    theme::GRID,
];

/// How many of the frames are captured at each rate, how long they take, and what they cost.
pub fn sweep(sweep: &Sweep) -> Vec<Figure> {
    let latency = |point: &Point, pick: fn(&xcap_study::run::sweep::Latency) -> f64| {
        point.latency.as_ref().map(pick)
    };
    let captured = |point: &Point| Some(100.0 * point.captured as f64 / point.offered as f64);
    let median = |point: &Point| latency(point, |of| of.median_us);
    let cost = |point: &Point| point.instructions_per_frame;
    let knees: Vec<String> = sweep.knees.iter().map(told).collect();
    let (frames, ms) = (sweep.frames, sweep.milliseconds);
    vec![
        over_rate(
            sweep,
            "sweep-captured",
            "Captured, over the offered rate",
            "% of the frames offered, over frames a second",
            Some(105.0),
            &captured,
            format!(
                "Trials of {frames} frames or {ms} ms, whichever is longer; up to what a gigabit wire carries. Without a \
                 loss (found by bisection, to 1 %): {}.",
                knees.join("; ")
            ),
        ),
        over_rate(
            sweep,
            "sweep-latency",
            "Latency, over the offered rate",
            "median µs, over frames a second",
            None,
            &median,
            "From the poll that takes a frame from the card to the call that captures it, of numbered frames that come after \
             the others, at the same rate; an emulated machine's µs are of one instruction a nanosecond. Under overload these \
             are the frames that were captured: the first ones."
                .into(),
        ),
        over_rate(
            sweep,
            "sweep-cost",
            "Cost of a captured frame, over the offered rate",
            "instructions, over frames a second",
            None,
            &cost,
            "All that the receiving machine executed (hypervisor, interrupts, programs, probes), less what it does when nothing \
             comes. Batches make frames cheaper, and frames that are dropped half way make those that are captured dearer."
                .into(),
        ),
    ]
}

fn told(of: &xcap_study::run::sweep::KneeOf) -> String {
    let rate = of
        .knee
        .passed
        .map_or("none".into(), |rate| format!("{rate:.0} frames a second"));
    format!("{}, {} bytes, {rate}", of.environment.label(), of.size)
}

fn over_rate(
    sweep: &Sweep,
    id: &str,
    title: &str,
    unit: &str,
    top: Option<f64>,
    value: &dyn Fn(&Point) -> Option<f64>,
    note: String,
) -> Figure {
    let mut table = Table::new(&[
        "environment",
        "bytes",
        "offered a second",
        "offered",
        "captured",
        "lost",
        "median µs",
        "99 % µs",
        "instructions a frame",
    ]);
    let mut kinds: Vec<(Environment, u16)> = Vec::new();
    for point in &sweep.points {
        let kind = (point.environment, point.size);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        table.push(row(point));
    }
    let drawn: Vec<Line> = kinds
        .into_iter()
        .zip(COLOURS)
        .map(|((environment, size), colour)| Line {
            name: format!("{}, {size} bytes", environment.label()),
            colour,
            points: sweep
                .points
                .iter()
                .filter(|point| (point.environment, point.size) == (environment, size))
                .filter_map(|point| Some((point.offered_per_second, value(point)?)))
                .filter(|(_, value)| *value > 0.0)
                .collect(),
        })
        .collect();
    let subtitle = format!("{unit} · {}", world_word(World::Emulated));
    Figure {
        id: id.into(),
        svg: lines(&Heading::new(title, &subtitle), &drawn, top),
        title: title.into(),
        note,
        table,
    }
}

fn row(point: &Point) -> Vec<Cell> {
    let lost: Vec<String> = point
        .lost
        .iter()
        .filter(|(_, lost)| **lost > 0)
        .map(|(place, lost)| format!("{place} {lost}"))
        .collect();
    let latency = point.latency;
    vec![
        Cell::text(point.environment.label()),
        Cell::count(point.size.into()),
        Cell::rounded(Some(point.offered_per_second)),
        Cell::count(point.offered),
        Cell::count(point.captured),
        Cell::text(lost.join(", ")),
        Cell::rounded(latency.map(|of| of.median_us)),
        Cell::rounded(latency.map(|of| of.p99_us)),
        Cell::rounded(point.instructions_per_frame),
    ]
}

/// What measuring adds to what a captured frame costs the whole machine: a figure an environment.
pub fn measuring(overhead: &Overhead) -> Vec<Figure> {
    let mut environments: Vec<Environment> = Vec::new();
    for row in &overhead.rows {
        if !environments.contains(&row.environment) {
            environments.push(row.environment);
        }
    }
    let figure = |environment| of_environment(overhead, environment);
    environments.into_iter().map(figure).collect()
}

fn of_environment(overhead: &Overhead, environment: Environment) -> Figure {
    let mut table = Table::new(&[
        "measured by",
        "bytes",
        "offered a second",
        "captured",
        "instructions a frame",
        "least trial",
        "most",
        "more",
        "95 % interval",
        "functions hooked",
        "no loss up to",
        "why not",
    ]);
    let here = || {
        overhead
            .rows
            .iter()
            .filter(|row| row.environment == environment)
    };
    here().for_each(|row| table.push(overhead_row(row)));
    let mut probes: Vec<&str> = Vec::new();
    let mut loads: Vec<(u16, f64)> = Vec::new();
    for row in here().filter(|row| row.reason.is_none()) {
        if !probes.contains(&row.probe.as_str()) {
            probes.push(&row.probe);
        }
        let load = (row.size, row.offered_per_second);
        if !loads.contains(&load) {
            loads.push(load);
        }
    }
    // What nothing measures is what the others are compared with.
    probes.retain(|probe| *probe != overhead::NOTHING);
    let colour = |at: usize| COLOURS[at % COLOURS.len()];
    let of = |probe: &str, load: (u16, f64)| {
        here().find(|row| row.probe == probe && (row.size, row.offered_per_second) == load)
    };
    let groups: Vec<Group> = loads
        .iter()
        .map(|load| Group {
            label: format!("{} bytes, {:.0} a second", load.0, load.1),
            rows: probes
                .iter()
                .enumerate()
                .map(|(at, probe)| Row {
                    value: of(probe, *load).and_then(|row| row.more_percent),
                    half: of(probe, *load)
                        .and_then(|row| Some((row.more_high? - row.more_low?) / 2.0)),
                    colour: colour(at),
                })
                .collect(),
        })
        .collect();
    let legend: Vec<_> = probes
        .iter()
        .enumerate()
        .map(|(at, probe)| (probe.to_string(), colour(at)))
        .collect();
    let title = format!("{}: what measuring adds", environment.label());
    let subtitle = format!(
        "% more instructions a captured frame · {}",
        world_word(World::Emulated)
    );
    Figure {
        id: format!("measuring-{}", environment.name()),
        svg: rows(&Heading::new(&title, &subtitle), &legend, &groups, Scale::Linear),
        title,
        note: format!(
            "All that the receiving machine executes for a captured frame, over the same capture with nothing that measures: \
             {} trials of each load, in random order; bars are 95 % intervals, of the trials' logarithms. xcap hooks every stage \
             that the machine has: a backend named alone hooks all that it can, auto those in which a call may sleep not \
             directly but by a dearer way (the table counts them). Where frames are lost, those \
             that are captured carry the cost of the others, and a few captured more or less move the figure.",
            overhead.repetitions
        ),
        table,
    }
}

fn overhead_row(row: &overhead::Row) -> Vec<Cell> {
    if let Some(reason) = &row.reason {
        let mut cells = vec![Cell::text(&row.probe)];
        cells.resize(11, Cell::Missing);
        cells.push(Cell::text(reason));
        return cells;
    }
    let trials = || row.instructions_per_frame.iter().copied();
    let found = !row.instructions_per_frame.is_empty();
    let more = row.more_percent;
    let signed = |value: f64| format!("{value:+.1} %").replace('-', "−");
    let interval = row.more_low.zip(row.more_high);
    let interval = interval.map(|(low, high)| format!("{} to {}", signed(low), signed(high)));
    vec![
        Cell::text(&row.probe),
        Cell::count(row.size.into()),
        Cell::rounded(Some(row.offered_per_second)),
        Cell::share((row.offered > 0).then(|| row.captured as f64 / row.offered as f64)),
        Cell::rounded(row.mean),
        Cell::rounded(found.then(|| trials().fold(f64::MAX, f64::min))),
        Cell::rounded(found.then(|| trials().fold(0.0, f64::max))),
        more.map_or(Cell::Missing, |more| Cell::Number(more, signed(more))),
        interval.map_or(Cell::Missing, Cell::text),
        Cell::text(row.hooked_each_way()),
        Cell::rounded(row.knee.and_then(|knee| knee.passed)),
        Cell::text("–"),
    ]
}
