// SPDX-License-Identifier: GPL-2.0

//! A table without lines: names to the left, numbers to the right.

use comfy_table::{CellAlignment, Table};

/// Lays out `rows` under `header`; the first `names` columns hold text.
pub fn lines(header: &[&str], rows: Vec<Vec<String>>, names: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        let first = if index == 0 { 0 } else { 2 };
        column.set_padding((first, 0));
        if index >= names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt().lines().map(str::to_owned).collect()
}
