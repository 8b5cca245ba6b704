// SPDX-License-Identifier: GPL-2.0

//! Tables of ways of capturing.

use xcap_study::run::ways::{Row, Ways};

use super::measured::measured;
use crate::numbers::short;
use crate::tables::{Cell, Table};

/// A line a way: what a frame costs alone and among others, and what is lost.
pub fn table(ways: &Ways) -> Table {
    let mut table = Table::new(&[
        "where",
        "bytes",
        "way",
        "kernel, alone",
        "program, alone",
        "wait, alone",
        "kernel, 20 k/s",
        "program, 20 k/s",
        "wait, 20 k/s",
        "no loss up to, frames/s",
        "captured at wire speed",
    ]);
    for one in measured(ways) {
        let mut cells = vec![
            Cell::text(one.place()),
            Cell::count(one.size.into()),
            Cell::text(one.name()),
        ];
        if let Some(reason) = one.reason() {
            cells[2] = Cell::text(format!("{}: {reason}", one.name()));
            cells.resize(table.columns.len(), Cell::Missing);
            table.push(cells);
            continue;
        }
        for row in [one.alone(), one.compared()] {
            cells.push(Cell::short(row.and_then(|row| row.kernel_per_frame)));
            cells.push(Cell::short(row.and_then(|row| row.program_per_frame)));
            cells.push(Cell::short(row.and_then(|row| row.wait_ns)));
        }
        cells.push(Cell::short(one.lossless()));
        cells.push(Cell::share(one.fastest().map(Row::captured_share)));
        table.push(cells);
    }
    table
}

/// A line a way: the share of frames that is captured at each rate.
pub fn captured(ways: &Ways) -> Table {
    let mut rates: Vec<f64> = ways.rows.iter().map(|row| row.offered_per_second).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let names: Vec<String> = rates
        .iter()
        .map(|rate| format!("{}/s", short(*rate)))
        .collect();
    let names = names.iter().map(String::as_str);
    let mut table = Table::new(
        &["where", "bytes", "way"]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>(),
    );
    for one in measured(ways) {
        if one.reason().is_some() {
            continue;
        }
        let mut cells = vec![
            Cell::text(one.place()),
            Cell::count(one.size.into()),
            Cell::text(one.name()),
        ];
        cells.extend(rates.iter().map(|rate| {
            let row = one.rows.iter().find(|row| row.offered_per_second == *rate);
            Cell::share(row.map(|row| row.captured_share()))
        }));
        table.push(cells);
    }
    table
}
