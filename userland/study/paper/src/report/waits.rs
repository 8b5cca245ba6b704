// SPDX-License-Identifier: GPL-2.0

//! What figures of services and waits share, of frames that are received and of those that are sent.

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;
use xcap_study::run_id::Domain;

use crate::figure::{theme, SpanRow};
use crate::tables::{Cell, Table};

/// Under the picture of one frame.
pub const OF_A_FRAME: &str =
    "Where it was, and where it waited before that. What takes less than a pixel is drawn as one.";

/// The stage's name for people, or what somebody called it.
pub fn label(place: &str) -> &str {
    match Stage::parse(place) {
        Some(stage) => stage.label(),
        None => place,
    }
}

pub fn colour(domain: &str, is_service: bool) -> RGBColor {
    match (is_service, domain) {
        (false, _) => theme::GREY,
        (_, "domU") => theme::of_domain(Domain::DomU),
        (_, "dom0") => theme::of_domain(Domain::Dom0),
        _ => theme::of_domain(Domain::Bare),
    }
}

/// Of figures with places in these domains, each named as often as it has some.
pub fn legend<'a>(domains: impl Iterator<Item = &'a str>) -> Vec<(String, RGBColor)> {
    let mut legend: Vec<(String, RGBColor)> = Vec::new();
    for domain in domains {
        let name = format!("served in {domain}");
        if legend.iter().all(|(known, _)| *known != name) {
            legend.push((name, colour(domain, true)));
        }
    }
    legend.push(("waiting".into(), theme::GREY));
    legend
}

/// A part of one frame's time.
pub struct Part<'a> {
    /// `service` at the place, wait `before` it or `within` it.
    pub what: &'a str,
    pub domain: &'a str,
    pub place: &'a str,
    /// From the frame's beginning, ticks.
    pub from: i128,
    pub ticks: i128,
}

/// One frame, place by place: a row each, in the order in which it came there.
pub fn waterfall<'a>(
    parts: impl Iterator<Item = Part<'a>>,
    scaled: impl Fn(i128) -> f64,
) -> (Vec<SpanRow>, Table) {
    let mut rows: Vec<SpanRow> = Vec::new();
    let mut table = Table::new(&["what", "domain", "place", "from, ticks", "ticks"]);
    for part in parts {
        let name = format!("{}, {}", label(part.place), part.domain);
        let span = (
            scaled(part.from),
            scaled(part.from + part.ticks),
            colour(part.domain, part.what == "service"),
        );
        match rows.iter_mut().find(|row| row.label == name) {
            Some(row) => row.spans.push(span),
            None => rows.push(SpanRow {
                label: name,
                spans: vec![span],
            }),
        }
        table.push(vec![
            Cell::text(part.what),
            Cell::text(part.domain),
            Cell::text(part.place),
            Cell::rounded(Some(part.from as f64)),
            Cell::rounded(Some(part.ticks as f64)),
        ]);
    }
    (rows, table)
}
