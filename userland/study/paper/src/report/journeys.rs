// SPDX-License-Identifier: GPL-2.0

//! Figures of journeys: waits against services, single frames, and a burst.

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;
use xcap_journeys::analysis::Journey;
use xcap_journeys::summary::{Summary, Told};
use xcap_journeys::told;
use xcap_study::marked::Marked;

use crate::figure::{spans, stacks, theme, Figure, Heading, SpanRow, Stack};
use crate::tables::{Cell, Table};

/// Frames that a picture of a burst has.
const BURST: usize = 48;

/// The stage's name for people, or what somebody called it.
fn label(place: &str) -> &str {
    match Stage::parse(place) {
        Some(stage) => stage.label(),
        None => place,
    }
}

fn colour(domain: &str, is_service: bool) -> RGBColor {
    match (is_service, domain) {
        (false, _) => theme::GREY,
        (_, "domU") => theme::of_domain(xcap_study::run_id::Domain::DomU),
        (_, "dom0") => theme::of_domain(xcap_study::run_id::Domain::Dom0),
        _ => theme::of_domain(xcap_study::run_id::Domain::Bare),
    }
}

fn legend(summary: &Summary) -> Vec<(String, RGBColor)> {
    let mut legend: Vec<(String, RGBColor)> = Vec::new();
    for place in &summary.places {
        let name = format!("served in {}", place.domain);
        if legend.iter().all(|(known, _)| *known != name) {
            legend.push((name, colour(place.domain, true)));
        }
    }
    legend.push(("waiting".into(), theme::GREY));
    legend
}

fn milliseconds(summary: &Summary, ticks: i128) -> f64 {
    summary.microseconds(ticks) / 1e3
}

/// A sentence a run, and its figures.
pub struct Journeys {
    pub lines: Vec<String>,
    pub figures: Vec<Figure>,
}

impl Journeys {
    /// Of the first repetition of each scenario, where there are several.
    pub fn of(runs: &[Marked]) -> Self {
        let first = runs.iter().map(|run| run.frames.run.repetition).min();
        let runs: Vec<&Marked> = runs
            .iter()
            .filter(|run| Some(run.frames.run.repetition) == first)
            .collect();
        let summaries: Vec<Summary> = runs.iter().map(|run| Summary::new(&run.analysis)).collect();
        let mut lines = Vec::new();
        let mut figures = Vec::new();
        if !runs.is_empty() {
            figures.push(against(&runs, &summaries));
        }
        for (run, summary) in runs.iter().zip(&summaries) {
            let mut line = format!("{}: {}", run.frames.run, told::line(summary));
            if let Some(clock) = told::clock(summary) {
                line += &format!("; {clock}");
            }
            lines.push(line);
            for (which, frame) in [("median", &summary.median), ("p99", &summary.p99)] {
                figures.extend(
                    frame
                        .as_ref()
                        .map(|told| waterfall(run, summary, which, told)),
                );
            }
            figures.extend(burst(run, summary));
        }
        Self { lines, figures }
    }
}

fn id(run: &Marked, what: &str) -> String {
    let run = run.frames.run.to_string().replace('/', "-");
    format!("journey-{what}-{run}")
}

/// Waits against services: the mean frame of each run, by place.
fn against(runs: &[&Marked], summaries: &[Summary]) -> Figure {
    let mut table = Table::new(&[
        "run",
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
    for (run, summary) in runs.iter().zip(summaries) {
        let mean = |ticks| milliseconds(summary, ticks) / summary.complete.max(1) as f64;
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
                    Cell::text(run.frames.run.to_string()),
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
            label: run.frames.run.to_string(),
            end: format!("{:.3} ms", mean(summary.total_ticks)),
            parts,
        });
    }
    let title = "Waits against services".to_owned();
    let heading = Heading::new(&title, "the mean frame, ms");
    Figure {
        id: "journeys-waits".into(),
        svg: stacks(&heading, &legend(&summaries[0]), &rows),
        title,
        note: "From the poll that took a frame from the card to the end of the call that captured it, in the \
               order in which a frame comes to its places. Services and waits add up to it exactly."
            .into(),
        table,
    }
}

/// One frame, place by place.
fn waterfall(run: &Marked, summary: &Summary, which: &str, frame: &Told) -> Figure {
    let mut rows: Vec<(String, SpanRow)> = Vec::new();
    let mut table = Table::new(&["what", "domain", "place", "from, ticks", "ticks"]);
    for part in &frame.parts {
        let name = format!("{}, {}", label(&part.place), part.domain);
        let from = milliseconds(summary, part.from_ticks);
        let to = milliseconds(summary, part.from_ticks + part.ticks);
        let span = (from, to, colour(part.domain, part.what == "service"));
        match rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, row)) => row.spans.push(span),
            None => rows.push((
                name.clone(),
                SpanRow {
                    label: name,
                    spans: vec![span],
                },
            )),
        }
        table.push(vec![
            Cell::text(part.what),
            Cell::text(part.domain),
            Cell::text(part.place.as_str()),
            Cell::rounded(Some(part.from_ticks as f64)),
            Cell::rounded(Some(part.ticks as f64)),
        ]);
    }
    let rows: Vec<SpanRow> = rows.into_iter().map(|(_, row)| row).collect();
    let title = match which {
        "median" => format!("{}: the median frame", run.frames.run.scenario),
        _ => format!("{}: the 99th-percentile frame", run.frames.run.scenario),
    };
    let subtitle = format!(
        "frame {}, {}, ms",
        frame.frame,
        run.frames.run.environment.label()
    );
    Figure {
        id: id(run, which),
        svg: spans(&Heading::new(&title, &subtitle), &legend(summary), &rows, 10),
        title,
        note: "Where it was, and where it waited before that. What is served in less than a pixel is drawn as one."
            .into(),
        table,
    }
}

/// Frames that followed one another, each a line.
fn burst(run: &Marked, summary: &Summary) -> Option<Figure> {
    let whole = &run.analysis.whole;
    let first = whole.len().saturating_sub(BURST) / 2;
    let some: Vec<&Journey> = whole.iter().skip(first).take(BURST).collect();
    let begin = some.iter().flat_map(|journey| journey.segments.first());
    let begin = begin.map(|segment| segment.from).min()?;
    let mut table = Table::new(&["frame", "begin, ticks", "service, ticks", "wait, ticks"]);
    let mut rows = Vec::new();
    for journey in &some {
        let spans = journey.segments.iter().map(|segment| {
            let domain = run.analysis.places.get(segment.what.place()).domain;
            (
                milliseconds(summary, segment.from - begin),
                milliseconds(summary, segment.to - begin),
                colour(domain, segment.what.is_service()),
            )
        });
        rows.push(SpanRow {
            label: String::new(),
            spans: spans.collect(),
        });
        let from = journey
            .segments
            .first()
            .map_or(0, |segment| segment.from - begin);
        table.push(vec![
            Cell::count(journey.frame),
            Cell::rounded(Some(from as f64)),
            Cell::rounded(Some(journey.service() as f64)),
            Cell::rounded(Some(journey.wait() as f64)),
        ]);
    }
    let title = format!("{}: frames one after another", run.frames.run.scenario);
    let subtitle = format!("each a line, {}, ms", run.frames.run.environment.label());
    Some(Figure {
        id: id(run, "burst"),
        svg: spans(&Heading::new(&title, &subtitle), &legend(summary), &rows, 5),
        title,
        note: "Frames downward, time to the right: what is polled, copied and delivered as a batch ends as one \
               edge, and the wait before it is each frame's own."
            .into(),
        table,
    })
}
