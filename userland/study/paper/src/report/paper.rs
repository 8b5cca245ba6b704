// SPDX-License-Identifier: GPL-2.0

//! The paper's own figures.

use xcap_abi::stage::Stage;

use super::selection::Selection;
use crate::figure::{bars, rows, theme, Bar, Figure, Group, Heading, Row, Scale};
use crate::numbers::whole;
use crate::paper_figures::{PaperFigure, FIGURES};
use crate::repetitions::{level, Estimate};
use crate::study::Pooled;
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

const COLUMNS: [&str; 13] = [
    "scenario",
    "stage",
    "function",
    "calls",
    "mean",
    "± 95 % (calls)",
    "self",
    "corrected",
    "std dev",
    "p50",
    "p99",
    "missed",
    "repetitions",
];

/// What is drawn of a stage, and half its 95 % interval: the mean of its calls; of one that reception may preempt, its
/// self time, over repetitions.
fn drawn(stage: Stage, pooled: Option<&Pooled>) -> (Option<f64>, Option<f64>) {
    let Some(pooled) = pooled else {
        return (None, None);
    };
    if !stage.runs_in_task() {
        return (pooled.mean(), pooled.half_width());
    }
    let Some(own) = pooled.self_mean() else {
        return (None, None);
    };
    let interval = level(&pooled.self_means)
        .ok()
        .as_ref()
        .map(Estimate::interval);
    let half = interval.map(|(low, high)| (high - low) / 2.0);
    (Some(own), half.filter(|half| *half < own))
}

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
        Cell::rounded(pooled.self_mean()),
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
            let (value, half) = drawn(stage, pooled.as_ref());
            group.rows.push(Row {
                value,
                half,
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
               95 % intervals over calls, where there are 30 calls that aren't too skewed for one. Of stages that reception \
               may preempt (copies, notification, recvfrom), self time over repetitions."
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
    let mut bar = Vec::new();
    for (at, &scenario) in selection.scenarios.iter().enumerate() {
        table.push(row(selection, *domain, *stage, at));
        let pooled = selection.pooled(scenario, *domain, *stage);
        let pooled = pooled.as_ref();
        let (value, half) = drawn(*stage, pooled);
        let means = |pooled: &Pooled| match stage.runs_in_task() {
            true => pooled.self_means.values().copied().collect(),
            false => pooled.means.values().copied().collect(),
        };
        bar.push(Bar {
            label: scenario.to_string(),
            below: format!(
                "{} calls",
                whole(pooled.map_or(0, |pooled| pooled.moments.count))
            ),
            value,
            half,
            dots: pooled.map(means).unwrap_or_default(),
            colour: theme::of_scenario(scenario),
        });
    }
    let title = format!("Fig. {number} – {domain}: {}", stage.label());
    let own = if stage.runs_in_task() { "self " } else { "" };
    let subtitle = selection.subtitle(&format!("mean {own}{} a call, 95 %", selection.unit()));
    let bars_are = match stage.runs_in_task() {
        true => {
            "Bars: mean self time, that is without what preempted a call (the table has whole calls beside), with its 95 % \
             interval over repetitions; dots: each repetition."
        }
        false => "Bars: mean of all calls, with its 95 % interval; dots: the mean of each repetition.",
    };
    let heading = Heading::new(&title, &subtitle);
    let function = drawn_function(selection, *domain, *stage);
    Figure {
        id: format!("fig-{number}"),
        svg: bars(&heading, &bar),
        title,
        note: format!(
            "The paper's “{caption}”. {function}{}{bars_are}",
            shared(*stage)
        ),
        table,
    }
}

/// Stages whose function serves others than the capture, too.
fn shared(stage: Stage) -> &'static str {
    match stage {
        Stage::CopyUser => {
            "The function copies for every socket of the machine: what else is received there is counted with it. "
        }
        Stage::Notify => {
            "The function notifies for every event channel (disks, consoles): what else uses them is counted with it. "
        }
        _ => "",
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
