// SPDX-License-Identifier: GPL-2.0

//! All journeys as a table: CSV, a row for each part of each frame's time.

use std::io::Write;

use anyhow::Result;

use crate::analysis::Analysis;

const COLUMNS: [&str; 6] = ["frame", "what", "domain", "place", "from_ticks", "ticks"];

/// Writes them to `to`; `from_ticks` counts from the first frame's beginning.
pub fn write(analysis: &Analysis, to: impl Write) -> Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(COLUMNS)?;
    let begin = begin(analysis);
    for journey in &analysis.whole {
        for segment in &journey.segments {
            let place = analysis.places.get(segment.what.place());
            table.write_record([
                &journey.frame.to_string(),
                segment.what.word(),
                place.domain,
                &place.name,
                &(segment.from - begin).to_string(),
                &segment.length().to_string(),
            ])?;
        }
    }
    Ok(table.flush()?)
}

fn begin(analysis: &Analysis) -> i128 {
    let firsts = analysis
        .whole
        .iter()
        .filter_map(|journey| journey.segments.first());
    firsts.map(|segment| segment.from).min().unwrap_or(0)
}
