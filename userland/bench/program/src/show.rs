// SPDX-License-Identifier: GPL-2.0

//! Tables for the terminal.

use crate::exact::Exactness;
use crate::umask::{Experiment, PAPER_PROBED, PAPER_PROBED_99, PAPER_UNPROBED};
use comfy_table::{presets, CellAlignment, ColumnConstraint, Table, Width};

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for column in table.column_iter_mut() {
        if column.index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn lines(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

fn added(us: f64) -> String {
    format!("{us:.5}")
}

fn paper(table: &mut Table) {
    let (mean, ci95) = PAPER_UNPROBED;
    table.add_row([
        "paper: none".to_owned(),
        format!("{mean:.5} ± {ci95:.5}"),
        "-".into(),
        added(0.0),
        "1.00".into(),
        "-".into(),
    ]);
    let (probed, ci95) = PAPER_PROBED;
    table.add_row([
        "paper: SystemTap".to_owned(),
        format!("{probed:.5} ± {ci95:.5}"),
        format!("± {PAPER_PROBED_99:.5}"),
        added(probed - mean),
        format!("{:.2}", probed / mean),
        "-".into(),
    ]);
}

/// The experiment in the paper's form, that of `umask()` beside the paper's figures.
pub fn umask(experiment: &Experiment) -> String {
    let mut table = table(&["probe", "µs a call, 95 %", "99 %", "added", "times", "lost"]);
    let unprobed = experiment
        .series
        .first()
        .map_or(f64::NAN, |series| series.mean);
    for series in &experiment.series {
        let lost = series
            .probe_saw
            .as_ref()
            .map_or("-".to_owned(), |saw| saw.missed.to_string());
        table.add_row([
            series.probe.clone(),
            format!("{:.5} ± {:.5}", series.mean, series.ci95),
            format!("± {:.5}", series.ci99),
            added(series.mean - unprobed),
            format!("{:.2}", series.mean / unprobed),
            lost,
        ]);
    }
    if experiment.workload.is_umask() {
        paper(&mut table);
    }
    let runs = experiment
        .series
        .first()
        .map_or(0, |series| series.runs.len());
    format!(
        "{} on {}: {runs} processes of {} calls each, in random order (seed {})\n{}",
        experiment.workload.title(),
        experiment.kernel,
        experiment.calls,
        experiment.seed,
        lines(&table)
    )
}

/// What is reported for functions of known length.
pub fn exact(all: &[Exactness]) -> String {
    let mut table = table(&["probe", "function", "length", "reported", "corrected"]);
    table
        .column_mut(1)
        .expect("there are five")
        .set_cell_alignment(CellAlignment::Left);
    table
        .column_mut(0)
        .expect("there are five")
        .set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(10)));
    for one in all {
        let nested = if one.nested { " (callee probed)" } else { "" };
        table.add_row([
            one.backend.clone().unwrap_or_else(|| "none".to_owned()),
            format!("{}{nested}", one.function),
            one.length.to_string(),
            format!("{:.2}", one.mean),
            format!(
                "{:.2}{}",
                one.corrected,
                if one.holds() { "" } else { " ✗" }
            ),
        ]);
    }
    lines(&table)
}
