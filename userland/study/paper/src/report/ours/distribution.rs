// SPDX-License-Identifier: GPL-2.0

//! How the calls of a stage are spread.

use xcap_abi::stage::Stage;

use crate::figure::{distributions, theme, Distribution, Figure, Heading};
use crate::histogram::modes;
use crate::numbers::{percent, short, whole};
use crate::report::selection::Selection;
use crate::tables::{Cell, Table};
use xcap_study::run_id::Domain;

/// How the samples of a stage are spread.
pub fn distribution(selection: &Selection, domain: Domain, stage: Stage) -> Option<Figure> {
    let pooled: Vec<_> = selection
        .scenarios
        .iter()
        .filter_map(|&scenario| Some((scenario, selection.pooled(scenario, domain, stage)?)))
        .filter(|(_, pooled)| pooled.moments.count > 0)
        .collect();
    if pooled.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        "scenario", "calls", "min", "p50", "p90", "p99", "p99.9", "max", "modes", "modes at",
    ]);
    let mut panels = Vec::new();
    for (scenario, pooled) in &pooled {
        let found = modes(&pooled.histogram);
        let at: Vec<String> = found
            .iter()
            .map(|mode| format!("{} ({})", short(mode.at), percent(mode.share)))
            .collect();
        let quantile = |share| Cell::rounded(pooled.quantile(share));
        table.push(vec![
            Cell::text(scenario.to_string()),
            Cell::count(pooled.moments.count),
            Cell::rounded(pooled.min.map(|min| min as f64)),
            quantile(0.5),
            quantile(0.9),
            quantile(0.99),
            quantile(0.999),
            Cell::rounded(pooled.max.map(|max| max as f64)),
            Cell::count(found.len() as u64),
            Cell::text(at.join(", ")),
        ]);
        panels.push(Distribution {
            label: scenario.to_string(),
            end: format!("{} calls", whole(pooled.moments.count)),
            histogram: &pooled.histogram,
            mean: pooled.mean(),
            colour: theme::of_scenario(*scenario),
        });
    }
    let title = format!("{domain}: distribution of {}", stage.label());
    let subtitle = selection.subtitle(&format!("calls by {}, log.", selection.unit()));
    Some(Figure {
        id: format!("distribution-{domain}-{}", stage.word()),
        svg: distributions(&Heading::new(&title, &subtitle), &panels),
        title,
        note: "Share of calls by their length; each panel is as high as its own peak. The upright line is the mean.".into(),
        table,
    })
}
