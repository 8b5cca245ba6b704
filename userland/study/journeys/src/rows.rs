// SPDX-License-Identifier: GPL-2.0

//! Journeys of runs as a table: CSV, a row for each part of each frame's time.

use std::io::Write;

use anyhow::Result;

use crate::analysis::Analysis;

const COLUMNS: [&str; 7] = [
    "run",
    "frame",
    "what",
    "domain",
    "place",
    "from_ticks",
    "ticks",
];

/// The table, written run by run.
pub struct Rows<W: Write>(csv::Writer<W>);

impl<W: Write> Rows<W> {
    pub fn new(to: W) -> Result<Self> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(COLUMNS)?;
        Ok(Self(table))
    }

    /// Adds a run; `from_ticks` counts from its first frame's beginning.
    pub fn add(&mut self, run: &str, analysis: &Analysis) -> Result<()> {
        let begin = begin(analysis);
        for journey in &analysis.whole {
            for segment in &journey.segments {
                let place = analysis.places.get(segment.what.place());
                self.0.write_record([
                    run,
                    &journey.frame.to_string(),
                    segment.what.word(),
                    place.domain,
                    &place.name,
                    &(segment.from - begin).to_string(),
                    &segment.length().to_string(),
                ])?;
            }
        }
        Ok(self.0.flush()?)
    }
}

fn begin(analysis: &Analysis) -> i128 {
    let firsts = analysis
        .whole
        .iter()
        .filter_map(|journey| journey.segments.first());
    firsts.map(|segment| segment.from).min().unwrap_or(0)
}
