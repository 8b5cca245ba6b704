// SPDX-License-Identifier: GPL-2.0

//! Figures of journeys: waits against services, single frames, and a burst.

use plotters::style::RGBColor;
use xcap_journeys::analysis::Journey;
use xcap_journeys::summary::{Summary, Told};
use xcap_journeys::told;
use xcap_journeys::unit::Unit;
use xcap_study::marked::Marked;
use xcap_study::scenario::Scenario;

use crate::figure::{spans, stacks, Figure, Heading, SpanRow, Stack};
use crate::numbers::short;
use crate::report::selection::Selection;
use crate::report::waits::{self, colour, Part};
use crate::tables::{Cell, Table};

/// Frames that a picture of a burst has.
const BURST: usize = 48;

/// A run, and what is told of it.
struct Shown<'a> {
    run: &'a Marked,
    summary: Summary,
}

impl Shown<'_> {
    /// What an axis of time is in: instructions are as many as they are, cycles have a second.
    fn unit(&self) -> &'static str {
        match self.summary.unit {
            Unit::Instructions => Unit::Instructions.word(),
            Unit::Cycles => "ms",
        }
    }

    fn scaled(&self, ticks: i128) -> f64 {
        match self.summary.unit {
            Unit::Instructions => ticks as f64,
            Unit::Cycles => self.summary.microseconds(ticks) / 1e3,
        }
    }

    fn label(&self) -> &'static str {
        self.run.frames.run.environment.label()
    }

    fn id(&self, what: &str) -> String {
        let run = self.run.frames.run;
        format!("journey-{what}-{}-{}", run.environment.name(), run.scenario)
    }
}

fn legend(shown: &[&Shown]) -> Vec<(String, RGBColor)> {
    let places = shown.iter().flat_map(|shown| &shown.summary.places);
    waits::legend(places.map(|place| place.domain))
}

/// Runs of one scenario beside each other.
pub struct OfScenario {
    pub scenario: Scenario,
    /// A sentence for each environment.
    pub lines: Vec<String>,
    /// Waits against services.
    pub against: Figure,
    /// Single frames, and a burst.
    pub frames: Vec<Figure>,
}

impl OfScenario {
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        std::iter::once(&self.against).chain(&self.frames)
    }
}

/// Of the first repetition, with room in the socket for every frame where there are such runs.
pub fn all(selection: &Selection, runs: &[Marked]) -> Vec<OfScenario> {
    let whole = selection.lossless();
    let of_buffer = || {
        let runs = runs.iter();
        runs.filter(|marked| marked.frames.run.buffer == whole.buffer)
    };
    let first = of_buffer().map(|run| run.frames.run.repetition).min();
    let shown: Vec<Shown> = of_buffer()
        .filter(|marked| Some(marked.frames.run.repetition) == first)
        .map(|run| Shown {
            run,
            summary: Summary::new(&run.analysis),
        })
        .collect();
    let scenarios = whole.scenarios.iter();
    scenarios
        .filter_map(|&scenario| {
            let of = |shown: &&Shown| shown.run.frames.run.scenario == scenario;
            let shown: Vec<&Shown> = shown.iter().filter(of).collect();
            (!shown.is_empty()).then(|| of_scenario(&whole, scenario, &shown))
        })
        .collect()
}

fn of_scenario(selection: &Selection, scenario: Scenario, shown: &[&Shown]) -> OfScenario {
    let mut lines = Vec::new();
    let mut frames = Vec::new();
    for &one in shown {
        let summary = &one.summary;
        let mut line = format!("{}: {}", one.label(), told::line(summary));
        for more in [told::clock(summary), told::socket(summary)]
            .into_iter()
            .flatten()
        {
            line += &format!("; {more}");
        }
        lines.push(line);
        for (which, frame) in [("median", &summary.median), ("p99", &summary.p99)] {
            let frame = frame.as_ref();
            frames.extend(frame.map(|frame| waterfall(selection, one, which, frame)));
        }
        frames.extend(burst(selection, one));
    }
    OfScenario {
        scenario,
        lines,
        against: against(selection, scenario, shown),
        frames,
    }
}

/// Waits against services: the mean frame of each environment, place by place.
fn against(selection: &Selection, scenario: Scenario, shown: &[&Shown]) -> Figure {
    let mut table = Table::new(&[
        "environment",
        "domain",
        "place",
        "frames",
        "what",
        "mean, ticks",
        "p50",
        "p90",
        "p99",
        "max",
    ]);
    let mut rows = Vec::new();
    for one in shown {
        let summary = &one.summary;
        let mean = |ticks| one.scaled(ticks) / summary.complete.max(1) as f64;
        let mut parts = Vec::new();
        for place in &summary.places {
            for (what, spent) in [
                ("waits before", &place.wait_before),
                ("waits within", &place.wait_within),
                ("served", &place.service),
            ] {
                let Some(spent) = spent.as_ref().filter(|spent| spent.sum > 0) else {
                    continue;
                };
                parts.push((mean(spent.sum), colour(place.domain, what == "served")));
                let mut cells = vec![
                    Cell::text(one.label()),
                    Cell::text(place.domain),
                    Cell::text(place.place.as_str()),
                    Cell::count(place.frames),
                    Cell::text(what),
                    Cell::rounded(Some(spent.mean())),
                ];
                let quantiles = [spent.p50, spent.p90, spent.p99, spent.max];
                cells.extend(quantiles.map(|ticks| Cell::rounded(Some(ticks as f64))));
                table.push(cells);
            }
        }
        rows.push(Stack {
            label: format!(
                "{}, {} of {} frames",
                one.label(),
                summary.complete,
                one.run.frames.sent
            ),
            end: short(mean(summary.total_ticks)),
            parts,
        });
    }
    let title = format!("{scenario}: waits against services");
    let unit = shown.first().map_or("", |one| one.unit());
    let subtitle = selection.world_subtitle(&format!("the mean frame, {unit}"));
    Figure {
        id: format!("journeys-{scenario}"),
        svg: stacks(&Heading::new(&title, &subtitle), &legend(shown), &rows),
        title,
        note: "From the poll that took a frame from the card to the end of the call that captured it, in the \
               order in which a frame comes to its places. Services and waits add up to it exactly."
            .into(),
        table,
    }
}

/// One frame, place by place.
fn waterfall(selection: &Selection, one: &Shown, which: &str, frame: &Told) -> Figure {
    let parts = frame.parts.iter().map(|part| Part {
        what: part.what,
        domain: part.domain,
        place: &part.place,
        from: part.from_ticks,
        ticks: part.ticks,
    });
    let (rows, table) = waits::waterfall(parts, |ticks| one.scaled(ticks));
    let frames = match which {
        "median" => "median",
        _ => "99th-percentile",
    };
    let scenario = one.run.frames.run.scenario;
    let title = format!("{scenario}, {}: the {frames} frame", one.label());
    let subtitle = selection.world_subtitle(&format!("frame {}, {}", frame.frame, one.unit()));
    Figure {
        id: one.id(which),
        svg: spans(&Heading::new(&title, &subtitle), &legend(&[one]), &rows, 10),
        title,
        note: waits::OF_A_FRAME.into(),
        table,
    }
}

/// Frames that followed one another, each a line.
fn burst(selection: &Selection, one: &Shown) -> Option<Figure> {
    let analysis = &one.run.analysis;
    let first = analysis.whole.len().saturating_sub(BURST) / 2;
    let some: Vec<&Journey> = analysis.whole.iter().skip(first).take(BURST).collect();
    let begin = |journey: &Journey| journey.segments.first().map(|segment| segment.from);
    let earliest = some.iter().filter_map(|journey| begin(journey)).min()?;
    let mut table = Table::new(&["frame", "begin, ticks", "service, ticks", "wait, ticks"]);
    let mut rows = Vec::new();
    for journey in &some {
        let spans = journey.segments.iter().map(|segment| {
            let domain = analysis.places.get(segment.what.place()).domain;
            (
                one.scaled(segment.from - earliest),
                one.scaled(segment.to - earliest),
                colour(domain, segment.what.is_service()),
            )
        });
        rows.push(SpanRow {
            label: String::new(),
            spans: spans.collect(),
        });
        let from = begin(journey).map_or(0, |from| from - earliest);
        table.push(vec![
            Cell::count(journey.frame),
            Cell::rounded(Some(from as f64)),
            Cell::rounded(Some(journey.service() as f64)),
            Cell::rounded(Some(journey.wait() as f64)),
        ]);
    }
    let scenario = one.run.frames.run.scenario;
    let title = format!("{scenario}, {}: one after another", one.label());
    let subtitle = selection.world_subtitle(&format!("each line a frame, {}", one.unit()));
    Some(Figure {
        id: one.id("burst"),
        svg: spans(&Heading::new(&title, &subtitle), &legend(&[one]), &rows, 5),
        title,
        note: "Frames downward, time to the right: what is polled, copied and delivered as a batch ends as one \
               edge, and the wait before it is each frame's own."
            .into(),
        table,
    })
}
