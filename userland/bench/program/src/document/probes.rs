// SPDX-License-Identifier: GPL-2.0

//! Every probe and peer.

use super::text::{number, table, UNKNOWN};
use crate::bench::Row;
use std::fmt::Write;

const HEADER: [&str; 9] = [
    "probe",
    "instructions a call",
    "× unprobed",
    "reported",
    "corrected",
    "lost",
    "arm, ms",
    "memory, MB",
    "install, MB",
];

pub fn write(out: &mut String, rows: &[Row]) {
    introduction(out, rows.first().map_or(0.0, |row| row.known_length));
    table(out, &HEADER, rows.iter().map(cells));
    for row in rows.iter().filter(|row| !row.works) {
        let reason = row.reason.as_deref().unwrap_or("no reason given");
        let _ = writeln!(out, "¹ {}: {reason}\n", row.probe);
    }
    let notes: String = rows.iter().filter_map(note).collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "{notes}");
    }
}

fn introduction(out: &mut String, known_length: f64) {
    let _ = write!(
        out,
        "## Every probe and peer\n\n\
         *reported*: the mean that the tool gives for a function of {known_length:.0} instructions. What is beyond\n\
         {known_length:.0} is the tool's own cost, sold as the kernel's; xcap's *corrected* mean has it taken off.\n\
         *lost*: calls made that the tool did not count. *memory*: resident processes, kernel module or\n\
         ring buffer. *install*: packages with all that they need, beyond what every Debian has.\n\n",
    );
}

fn cells(row: &Row) -> Vec<String> {
    if !row.works {
        let mut cells = vec![row.probe.clone(), "doesn't run¹".to_owned()];
        cells.resize(HEADER.len(), UNKNOWN.to_owned());
        return cells;
    }
    vec![
        row.probe.clone(),
        number(row.instructions_per_call, 1),
        number(row.times_unprobed, 2),
        number(row.reported_mean, 1),
        number(row.corrected_mean, 2),
        lost(row),
        number(row.arm_ms, 1),
        number(row.memory_kib.map(|kib| kib as f64 / 1024.0), 1),
        number(row.install_mb, 1),
    ]
}

fn lost(row: &Row) -> String {
    match (row.lost, row.calls) {
        (Some(lost), Some(calls)) if lost > 0 => {
            format!("{:.1} %", lost as f64 * 100.0 / calls as f64)
        }
        (Some(lost), _) => lost.to_string(),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// A line with the version and what else is to be said.
fn note(row: &Row) -> Option<String> {
    let parts = [row.version.as_deref(), row.note.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("- {}: {}\n", row.probe, parts.join("; ")))
}
