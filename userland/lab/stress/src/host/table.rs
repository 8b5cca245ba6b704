// SPDX-License-Identifier: GPL-2.0

//! The table at the end.

use crate::host::results::Row;
use comfy_table::{presets, CellAlignment, Table};

pub fn table(rows: &[&Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["kernel", "what", "rounds", "failures", "seconds"]);
    for row in rows {
        let rounds = match row.skipped {
            Some(_) => "-".to_owned(),
            None => row.rounds.to_string(),
        };
        table.add_row([
            row.kernel.clone(),
            row.what.clone(),
            rounds,
            row.failures.to_string(),
            row.seconds.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text: String = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    for row in rows {
        for told in &row.told {
            text += &format!("{}, {}, seed {}: {told}\n", row.kernel, row.what, row.seed);
        }
        if let Some(logs) = &row.logs {
            text += &format!("  logs: {}\n", logs.display());
        }
        for swept in &row.swept {
            text += &format!("{}, {}: {swept}\n", row.kernel, row.what);
        }
        if let Some(why) = &row.skipped {
            text += &format!("{}, {}: left out: {why}\n", row.kernel, row.what);
        }
    }
    text
}
