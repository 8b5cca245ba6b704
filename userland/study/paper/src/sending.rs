// SPDX-License-Identifier: GPL-2.0

//! Sending: written as JSON, as tables, and shown.

use std::path::Path;

use anyhow::Result;
use xcap_machines::files::replace;
use xcap_output::print;
use xcap_study::run::sending::{Sending, Sent};

use crate::loads;
use crate::numbers::short;
use crate::tables::{Cell, Table};

/// Its file in a results folder.
pub const TRANSMIT: &str = "transmit.json";

/// Writes what was measured, and shows it.
pub fn write(results: &Path, sending: &Sending) -> Result<()> {
    let tables = results.join("tables");
    let (costs, journeys) = (costs(sending), journeys(sending));
    replace(&tables.join("transmit.csv"), costs.csv()?)?;
    replace(&tables.join("transmit-journeys.csv"), journeys.csv()?)?;
    let text = costs.markdown() + "\n" + &journeys.markdown();
    replace(&tables.join("transmit.md"), text)?;
    loads::json(&results.join(TRANSMIT), sending)?;
    Ok(print(&shown(sending))?)
}

/// What a results folder has of it.
pub fn read(results: &Path) -> Result<Option<Sending>> {
    loads::read(&results.join(TRANSMIT), "account of sending")
}

fn of(run: &Sent) -> [Cell; 2] {
    [
        Cell::text(run.environment.name()),
        Cell::text(run.scenario.to_string()),
    ]
}

/// A line a stage: its self time by frames sent.
pub fn costs(sending: &Sending) -> Table {
    let mut table = Table::new(&[
        "where",
        "scenario",
        "domain",
        "stage",
        "function",
        "calls",
        "frames",
        "self time a frame",
    ]);
    for run in &sending.runs {
        for stage in &run.stages {
            let mut cells = of(run).to_vec();
            cells.extend([
                Cell::text(stage.domain.name()),
                Cell::text(&stage.stage),
                Cell::text(&stage.function),
                Cell::count(stage.calls),
                Cell::count(run.sent),
                Cell::rounded(Some(stage.self_per_frame)),
            ]);
            table.push(cells);
        }
    }
    table
}

/// A line a place: services and waits.
fn journeys(sending: &Sending) -> Table {
    let mut table = Table::new(&[
        "where",
        "scenario",
        "domain",
        "place",
        "served, median",
        "waited, median",
        "waited, p99",
    ]);
    for run in &sending.runs {
        for place in &run.journeys.places {
            let mut cells = of(run).to_vec();
            cells.extend([
                Cell::text(&place.domain),
                Cell::text(&place.place),
                Cell::count(place.service_p50),
                Cell::count(place.wait_p50),
                Cell::count(place.wait_p99),
            ]);
            table.push(cells);
        }
    }
    table
}

/// A line a stage, within 80 columns, and each scenario's journeys in a sentence.
fn shown(sending: &Sending) -> String {
    let mut text = String::new();
    for run in &sending.runs {
        text += &format!(
            "{} {}: {} sent, {} left the card, {} a second\n  {:6} {:14} {:>8} {:>16} {:>11} {:>11}\n",
            run.environment.label(),
            run.scenario,
            run.sent,
            run.left,
            short(run.frames_per_second),
            "",
            "",
            "calls",
            "self time/frame",
            "served p50",
            "waited p50",
        );
        for stage in &run.stages {
            let mut places = run.journeys.places.iter();
            let place = places
                .find(|place| place.domain == stage.domain.name() && place.place == stage.stage);
            let at = |ticks: Option<u64>| ticks.map_or("–".into(), |ticks| short(ticks as f64));
            text += &format!(
                "  {:6} {:14} {:>8} {:>16} {:>11} {:>11}\n",
                stage.domain.name(),
                stage.stage,
                stage.calls,
                short(stage.self_per_frame),
                at(place.map(|place| place.service_p50)),
                at(place.map(|place| place.wait_p50)),
            );
        }
        text += &wrapped(&run.journeys.told);
    }
    text + &format!(
        "in {}, emulated ({})\n",
        sending.lab.unit.word(),
        sending.lab.qemu
    )
}

/// In lines of 78 columns at most, indented.
fn wrapped(sentence: &str) -> String {
    let options = textwrap::Options::new(78)
        .initial_indent("  ")
        .subsequent_indent("  ")
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(sentence, options) + "\n"
}
