// SPDX-License-Identifier: GPL-2.0

//! What was measured, in a terminal of 80 columns.

use crate::record::Silicon;
use crate::tables::{costs, ticks, truths, Table};
use comfy_table::{presets, CellAlignment};
use std::fmt::Write;

fn lines(table: &Table) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(presets::NOTHING);
    drawn.set_header(&table.header);
    drawn.add_rows(&table.rows);
    for column in drawn.column_iter_mut() {
        let first = column.index == 0;
        column.set_padding((u16::from(!first), 0));
        if !first {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    drawn.trim_fmt()
}

/// All tables, and what they mean in a line each.
pub fn silicon(silicon: &Silicon) -> String {
    let mut out = format!(
        "{}\n\
         TSC {} kHz; {} repetitions of {} calls\n\
         Floor: {} ticks, two rdtsc in a function that a loop calls\n\n\
         What a hit adds to a call, in TSC ticks, by the number of callers above.\n\
         shape-…: what another mechanism does at the least, written anew.\n",
        silicon.cpu,
        silicon.tsc_khz,
        silicon.repetitions,
        silicon.calls,
        ticks(silicon.floor_ticks),
    );
    for table in costs(silicon) {
        let _ = write!(out, "\n{}\n{}\n", table.title, lines(&table));
    }
    let (wrong, all) = (silicon.wrong(), silicon.truth.len());
    let _ = write!(
        out,
        "\nFunctions of known length: {} of {all} corrected means within 2 ticks or 2 %\n",
        all - wrong,
    );
    for table in truths(silicon) {
        let _ = write!(out, "\n{}\n{}\n", table.title, lines(&table));
    }
    for note in &silicon.notes {
        let _ = write!(out, "\n{note}\n");
    }
    out
}
