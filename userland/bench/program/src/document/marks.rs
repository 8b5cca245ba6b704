// SPDX-License-Identifier: GPL-2.0

//! What marks cost.

use super::text::{number, table};
use crate::bench::Row;
use crate::marks::Marked;
use std::fmt::Write;

pub fn write(out: &mut String, rows: &[Row], marks: &[Marked]) {
    let _ = write!(
        out,
        "## Marks\n\n\
         With `marks on` each hit also finds out which frame it is about and says when it was where: instructions\n\
         beyond the unprobed call, on a function that is about a numbered frame. All that is more than without\n\
         is outside the samples. The module measures it at `marks on` and `calibrate` (`# cost … marked`). Without\n\
         marks, and when they are off again, a hit is what it is without them, to the instruction: `make test` fails\n\
         where it isn't.\n\n"
    );
    let rows = marks.iter().map(|one| {
        let plain = format!("xcap {}", one.backend);
        let plain = rows.iter().find(|row| row.probe == plain);
        let plain = plain.and_then(|row| Some(row.instructions_per_call? - row.unprobed?));
        vec![
            one.backend.clone(),
            number(plain, 1),
            number(Some(one.cost), 1),
        ]
    });
    table(out, &["backend", "marks off", "marks on"], rows);
}
