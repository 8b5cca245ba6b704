// SPDX-License-Identifier: GPL-2.0

//! The paper's own figures.

use xcap_abi::stage::Stage;

use super::selection::Selection;
use crate::figure::{bars, rows, theme, Bar, Figure, Group, Heading, Row, Scale};
use crate::numbers::whole;
use crate::paper_figures::{PaperFigure, FIGURES};
use crate::tables::{Cell, Table};
use xcap_study::run_id::Domain;

/// Figures 2a, 2b and 3 to 11.
pub fn figures(selection: &Selection) -> Vec<Figure> {
    let mut figures = vec![
        all_stages(selection, "2a", Domain::Dom0),
        all_stages(selection, "2b", Domain::DomU),
    ];
    figures.extend(FIGURES.iter().map(|figure| one_stage(selection, figure)));
    figures
}

const COLUMNS: [&str; 12] = [
    "scenario",
    "stage",
    "function",
    "calls",
    "mean",
    "± 95 % (calls)",
    "corrected",
    "std dev",
    "p50",
    "p99",
    "missed",
    "repetitions",
];

/// The figures of one stage and scenario, as a row under [`COLUMNS`].
fn row(selection: &Selection, domain: Domain, stage: Stage, at: usize) -> Vec<Cell> {
    let scenario = selection.scenarios[at];
    let mut row = vec![Cell::text(scenario.to_string()), Cell::text(stage.word())];
    let Some(pooled) = selection.pooled(scenario, domain, stage) else {
        row.push(Cell::text("not on this kernel"));
        row.resize(COLUMNS.len(), Cell::Missing);
        return row;
    };
    row.extend([
        Cell::text(&pooled.function),
        Cell::count(pooled.moments.count),
        Cell::rounded(pooled.mean()),
        Cell::rounded(pooled.half_width()),
        Cell::rounded(pooled.corrected),
        Cell::rounded(pooled.moments.standard_deviation()),
        Cell::rounded(pooled.quantile(0.5)),
        Cell::rounded(pooled.quantile(0.99)),
        Cell::count(pooled.missed),
        Cell::count(pooled.means.len() as u64),
    ]);
    row
}

fn all_stages(selection: &Selection, number: &str, domain: Domain) -> Figure {
    let mut table = Table::new(&COLUMNS);
    let mut groups = Vec::new();
    for stage in selection.called(domain, Stage::path()) {
        let mut group = Group {
            label: stage.label().to_owned(),
            rows: Vec::new(),
        };
        for (at, &scenario) in selection.scenarios.iter().enumerate() {
            let pooled = selection.pooled(scenario, domain, stage);
            group.rows.push(Row {
                value: pooled.as_ref().and_then(|pooled| pooled.mean()),
                half: pooled.as_ref().and_then(|pooled| pooled.half_width()),
                colour: theme::of_scenario(scenario),
            });
            table.push(row(selection, domain, stage, at));
        }
        groups.push(group);
    }
    let title = format!("Fig. {number} – {domain}: mean {} a call", selection.unit());
    let subtitle = selection.subtitle("all stages, logarithmic");
    let heading = Heading::new(&title, &subtitle);
    Figure {
        id: format!("fig-{number}"),
        svg: rows(&heading, &selection.legend(), &groups, Scale::Logarithmic),
        title,
        note: "Cost of one call of each stage's function, not of one frame: interrupts, polls, copies \
               and notifications handle many frames a call. The axis is logarithmic, the thin lines are \
               95 % intervals over calls. recvfrom includes the wait for a frame."
            .into(),
        table,
    }
}

fn one_stage(selection: &Selection, figure: &PaperFigure) -> Figure {
    let PaperFigure {
        number,
        domain,
        stage,
        caption,
    } = figure;
    let mut table = Table::new(&COLUMNS);
    let mut drawn = Vec::new();
    for (at, &scenario) in selection.scenarios.iter().enumerate() {
        table.push(row(selection, *domain, *stage, at));
        let pooled = selection.pooled(scenario, *domain, *stage);
        let pooled = pooled.as_ref();
        drawn.push(Bar {
            label: scenario.to_string(),
            below: format!(
                "{} calls",
                whole(pooled.map_or(0, |pooled| pooled.moments.count))
            ),
            value: pooled.and_then(|pooled| pooled.mean()),
            half: pooled.and_then(|pooled| pooled.half_width()),
            dots: pooled
                .map(|pooled| pooled.means.values().copied().collect())
                .unwrap_or_default(),
            colour: theme::of_scenario(scenario),
        });
    }
    let title = format!("Fig. {number} – {domain}: {}", stage.label());
    let subtitle = selection.subtitle(&format!("mean {} a call, 95 %", selection.unit()));
    let heading = Heading::new(&title, &subtitle);
    let function = drawn_function(selection, *domain, *stage);
    Figure {
        id: format!("fig-{number}"),
        svg: bars(&heading, &drawn),
        title,
        note: format!("The paper's “{caption}”. {function}Bars: mean of all calls, with its 95 % interval; dots: the mean of each repetition."),
        table,
    }
}

fn drawn_function(selection: &Selection, domain: Domain, stage: Stage) -> String {
    let mut pooled = selection
        .scenarios
        .iter()
        .filter_map(|&scenario| selection.pooled(scenario, domain, stage));
    match pooled.next() {
        Some(pooled) if !pooled.function.is_empty() => format!("Function {}(). ", pooled.function),
        _ => "This kernel has no function for it. ".into(),
    }
}
