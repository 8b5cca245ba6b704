// SPDX-License-Identifier: GPL-2.0

//! Figures of sending: what each stage costs, waits against services, and single frames.

use std::collections::BTreeSet;

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;
use xcap_study::run::sending::{Followed, OfStage, Sending, Sent};
use xcap_study::scenario::Scenario;
use xcap_study::testbed::World;

use crate::figure::{spans, stacks, theme, Figure, Heading, Stack};
use crate::numbers::short;
use crate::report::selection::world_word;
use crate::report::waits::{self, colour, Part};
use crate::sending::costs;
use crate::tables::{Cell, Table};

/// What is shown of sending.
pub struct OfSending {
    /// Self time of each stage.
    pub cost: Figure,
    /// Waits against services, a figure a scenario.
    pub against: Vec<Figure>,
    /// A sentence for each run.
    pub lines: Vec<String>,
    /// Single frames.
    pub frames: Vec<Figure>,
}

impl OfSending {
    pub fn new(sending: &Sending) -> Self {
        let scenarios: BTreeSet<Scenario> = sending.runs.iter().map(|run| run.scenario).collect();
        // The one in which nothing queues comes first.
        let scenarios: Vec<Scenario> = scenarios.into_iter().rev().collect();
        let of = |scenario| {
            sending
                .runs
                .iter()
                .filter(move |run| run.scenario == scenario)
        };
        let ordered: Vec<&Sent> = scenarios.iter().copied().flat_map(of).collect();
        let line = |run: &&Sent| {
            let journeys = &run.journeys;
            format!(
                "{}, {}: {}",
                run.environment.label(),
                run.scenario,
                journeys.told
            )
        };
        let frames = ordered.iter().flat_map(|run| {
            let journeys = &run.journeys;
            let single = [
                ("median", &journeys.median),
                ("99th-percentile", &journeys.p99),
            ];
            let single = single.into_iter();
            single.filter_map(|(which, frame)| Some(one(sending, run, which, frame.as_ref()?)))
        });
        Self {
            cost: cost(sending, &ordered),
            against: scenarios
                .iter()
                .map(|&scenario| against(sending, scenario, &of(scenario).collect::<Vec<_>>()))
                .collect(),
            lines: ordered.iter().map(line).collect(),
            frames: frames.collect(),
        }
    }

    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let journeys = self.against.iter().chain(&self.frames);
        std::iter::once(&self.cost).chain(journeys)
    }
}

/// What figures are in, and what it is of.
fn subtitle(sending: &Sending, what: &str) -> String {
    let world = match sending.lab.accelerator.as_str() {
        "tcg" => World::Emulated,
        _ => World::Virtual,
    };
    format!(
        "{what}, {} · {}",
        sending.lab.unit.word(),
        world_word(world)
    )
}

fn colour_of(stage: &OfStage) -> RGBColor {
    Stage::parse(&stage.stage).map_or(theme::GREY, theme::of_stage)
}

/// Self time a frame: a bar a run, stage by stage.
fn cost(sending: &Sending, runs: &[&Sent]) -> Figure {
    let mut legend: Vec<(String, RGBColor)> = Vec::new();
    for stage in runs.iter().flat_map(|run| &run.stages) {
        let name = waits::label(&stage.stage);
        if legend.iter().all(|(known, _)| known != name) {
            legend.push((name.to_owned(), colour_of(stage)));
        }
    }
    let bar = |run: &&Sent| {
        let of_frames: f64 = run.stages.iter().map(|stage| stage.self_per_frame).sum();
        let parts = run.stages.iter();
        Stack {
            label: format!(
                "{}, {}, {} frames",
                run.scenario,
                run.environment.label(),
                run.sent
            ),
            end: short(of_frames),
            parts: parts
                .map(|stage| (stage.self_per_frame, colour_of(stage)))
                .collect(),
        }
    };
    let rows: Vec<Stack> = runs.iter().map(bar).collect();
    let title = "What sending costs, stage by stage".to_owned();
    let below = subtitle(sending, "self time a frame");
    Figure {
        id: "sending-cost".into(),
        svg: stacks(&Heading::new(&title, &below), &legend, &rows),
        title,
        note: "In the order in which frames come to the stages: those of the guest, then those of dom0. Less what the \
               probes cost. Interrupts, softirqs, the hypervisor's own work and the cleaning of sent frames are in none."
            .into(),
        table: costs(sending),
    }
}

/// Waits against services: the mean frame of each environment, place by place.
fn against(sending: &Sending, scenario: Scenario, runs: &[&Sent]) -> Figure {
    let mut table = Table::new(&[
        "environment",
        "domain",
        "place",
        "served, mean",
        "waited before, mean",
        "waited within, mean",
        "served, p50",
        "waited, p50",
        "waited, p99",
    ]);
    let mut rows = Vec::new();
    for run in runs {
        let journeys = &run.journeys;
        let mut parts = Vec::new();
        for place in &journeys.places {
            let waited = place.wait_before_mean + place.wait_within_mean;
            let spent = [(waited, false), (place.service_mean, true)];
            let spent = spent.into_iter().filter(|(ticks, _)| *ticks > 0.0);
            parts.extend(spent.map(|(ticks, served)| (ticks, colour(&place.domain, served))));
            table.push(vec![
                Cell::text(run.environment.label()),
                Cell::text(&place.domain),
                Cell::text(&place.place),
                Cell::rounded(Some(place.service_mean)),
                Cell::rounded(Some(place.wait_before_mean)),
                Cell::rounded(Some(place.wait_within_mean)),
                Cell::count(place.service_p50),
                Cell::count(place.wait_p50),
                Cell::count(place.wait_p99),
            ]);
        }
        rows.push(Stack {
            label: format!(
                "{}, {} of {} frames",
                run.environment.label(),
                journeys.complete,
                journeys.sent
            ),
            end: short(journeys.total_ticks as f64 / journeys.complete.max(1) as f64),
            parts,
        });
    }
    let places = runs.iter().flat_map(|run| &run.journeys.places);
    let legend = waits::legend(places.map(|place| place.domain.as_str()));
    let title = format!("{scenario}, sent: waits against services");
    let below = subtitle(sending, "the mean frame");
    Figure {
        id: format!("sending-waits-{scenario}"),
        svg: stacks(&Heading::new(&title, &below), &legend, &rows),
        title,
        note: "From the program's call, or where frames leave their first marks, to the return of the card's driver. \
               Services and waits add up to it; marks' own cost is in both."
            .into(),
        table,
    }
}

/// One frame, place by place.
fn one(sending: &Sending, run: &Sent, which: &str, frame: &Followed) -> Figure {
    let parts = frame.parts.iter().map(|part| Part {
        what: &part.what,
        domain: &part.domain,
        place: &part.place,
        from: part.from_ticks.into(),
        ticks: part.ticks.into(),
    });
    let (rows, table) = waits::waterfall(parts, |ticks| ticks as f64);
    let (environment, scenario) = (run.environment, run.scenario);
    let title = format!("{}, sent: the {which} frame", environment.label());
    let below = subtitle(sending, &format!("{scenario}, frame {}", frame.frame));
    let legend = waits::legend(
        run.journeys
            .places
            .iter()
            .map(|place| place.domain.as_str()),
    );
    Figure {
        id: format!("sending-{which}-{}-{scenario}", environment.name()),
        svg: spans(&Heading::new(&title, &below), &legend, &rows, 10),
        title,
        note: waits::OF_A_FRAME.into(),
        table,
    }
}
