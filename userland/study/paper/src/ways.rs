// SPDX-License-Identifier: GPL-2.0

//! Ways of capturing: written as JSON, as tables, and shown.

use std::path::Path;

use anyhow::Result;
use xcap_frames::Way;
use xcap_machines::files::replace;
use xcap_output::print;
use xcap_study::run::ways::{Row, Ways};
use xcap_study::run_id::{Domain, Environment};

use crate::data::csv;
use crate::loads;
use crate::numbers::{percent, short};
use crate::tables::{Cell, Table};

/// Its file in a results folder.
pub const WAYS: &str = "ways.json";

/// The rate that ways are compared at: frames meet in batches, and most ways lose none.
const COMPARED: f64 = 20e3;

/// Writes what was measured, and shows it.
pub fn write(results: &Path, ways: &Ways) -> Result<()> {
    let tables = results.join("tables");
    let table = table(ways);
    replace(&tables.join("ways.csv"), csv(ways.rows.iter())?)?;
    replace(&tables.join("ways.md"), table.markdown())?;
    loads::json(&results.join(WAYS), ways)?;
    Ok(print(&shown(ways))?)
}

/// What a results folder has of it.
pub fn read(results: &Path) -> Result<Option<Ways>> {
    loads::read(&results.join(WAYS), "account of ways of capturing")
}

/// A way in one place, with frames of one size: its rows, one a load.
struct Measured<'a> {
    environment: Environment,
    domain: Domain,
    size: u16,
    way: Way,
    rows: Vec<&'a Row>,
}

fn measured(ways: &Ways) -> Vec<Measured<'_>> {
    let mut all: Vec<Measured> = Vec::new();
    for row in &ways.rows {
        let same = |one: &&mut Measured| {
            (one.environment, one.domain, one.size, one.way)
                == (row.environment, row.domain, row.size, row.way)
        };
        match all.iter_mut().find(same) {
            Some(one) => one.rows.push(row),
            None => all.push(Measured {
                environment: row.environment,
                domain: row.domain,
                size: row.size,
                way: row.way,
                rows: vec![row],
            }),
        }
    }
    all.sort_by_key(|one| (one.environment, one.domain, one.size));
    all
}

impl Measured<'_> {
    fn place(&self) -> String {
        match self.domain {
            Domain::Bare => "bare".into(),
            domain => format!("{} {domain}", self.environment.label()),
        }
    }

    fn name(&self) -> String {
        let hook = self.rows.iter().find_map(|row| row.xdp);
        let hook = hook.map(|hook| format!(" ({hook:?})").to_lowercase());
        format!("{}{}", self.way.word(), hook.unwrap_or_default())
    }

    fn reason(&self) -> Option<&str> {
        self.rows.iter().find_map(|row| row.reason.as_deref())
    }

    /// Frames one by one.
    fn alone(&self) -> Option<&Row> {
        let rows = self.rows.iter().copied();
        rows.min_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second))
    }

    /// Frames that meet in batches.
    fn compared(&self) -> Option<&Row> {
        let near = |row: &&Row| (row.offered_per_second / COMPARED - 1.0).abs() < 0.01;
        self.rows.iter().copied().find(near)
    }

    /// As fast as the wire carries them.
    fn fastest(&self) -> Option<&Row> {
        let rows = self.rows.iter().copied();
        rows.max_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second))
    }

    /// The greatest rate below which none was offered with a loss.
    fn lossless(&self) -> Option<f64> {
        let mut rows = self.rows.clone();
        rows.sort_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second));
        let passed = rows.into_iter().take_while(|row| row.is_lossless());
        passed.last().map(|row| row.offered_per_second)
    }

    fn cost(&self) -> Option<f64> {
        let row = self.compared()?;
        Some(row.kernel_per_frame? + row.program_per_frame?)
    }
}

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
        let captured = one
            .fastest()
            .map(|row| row.captured as f64 / row.offered.max(1) as f64);
        cells.push(Cell::share(captured));
        table.push(cells);
    }
    table
}

/// For each place and size, the way that costs least, and the one whose frames wait least: a sentence each.
pub fn answers(ways: &Ways) -> Vec<String> {
    let all = measured(ways);
    let mut answers = Vec::new();
    for group in all.chunk_by(|one, other| (one.place(), one.size) == (other.place(), other.size)) {
        let paper = group.iter().find(|one| one.way == Way::Recvfrom);
        let cheapest = group.iter().filter_map(|one| Some((one.cost()?, one)));
        let cheapest = cheapest.min_by(|(one, _), (other, _)| one.total_cmp(other));
        let (Some((cost, cheapest)), Some(first)) = (cheapest, group.first()) else {
            continue;
        };
        let mut answer = format!(
            "{}, {} bytes: at 20,000 frames/s a frame costs least by {} ({} instructions",
            first.place(),
            first.size,
            cheapest.name(),
            short(cost)
        );
        if let Some(paper) = paper.and_then(Measured::cost) {
            answer += &format!(", {} of recvfrom's", percent(cost / paper));
        }
        answer += ")";
        let wait = |one: &Measured| one.alone().and_then(|row| row.wait_ns);
        let soonest = group.iter().filter_map(|one| Some((wait(one)?, one)));
        let soonest = soonest.min_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((wait, soonest)) = soonest {
            answer += &format!(
                "; one that comes alone is with the program soonest by {} ({})",
                soonest.name(),
                short(wait)
            );
        }
        answers.push(answer);
    }
    answers
}

/// A line a way, within 80 columns.
fn shown(ways: &Ways) -> String {
    let mut text = format!(
        "{:12} {:>4} {:21} {:>7} {:>7} {:>7} {:>7} {:>5}\n",
        "", "B", "instructions a frame", "kernel", "program", "wait", "to /s", "lost"
    );
    let number = |value: Option<f64>| value.map_or("–".into(), short);
    for one in measured(ways) {
        let (place, size, name) = (one.place(), one.size, one.name());
        if let Some(reason) = one.reason() {
            text += &format!("{place:12} {size:>4} {name}:\n  {reason}\n");
            continue;
        }
        let row = one.compared();
        let lost = one
            .fastest()
            .map(|row| 1.0 - row.captured as f64 / row.offered.max(1) as f64);
        text += &format!(
            "{place:12} {size:>4} {name:21} {:>7} {:>7} {:>7} {:>7} {:>5}\n",
            number(row.and_then(|row| row.kernel_per_frame)),
            number(row.and_then(|row| row.program_per_frame)),
            number(one.alone().and_then(|row| row.wait_ns)),
            number(one.lossless()),
            lost.map_or("–".into(), percent),
        );
    }
    text + "kernel, program: at 20 k/s; wait: of a lone frame; lost: at wire speed\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use xcap_study::format::FORMAT;

    fn row(way: Way, rate: f64, captured: u64, kernel: f64) -> Row {
        Row {
            environment: Environment::Native,
            domain: Domain::Bare,
            way,
            reason: None,
            xdp: None,
            size: 64,
            offered_per_second: rate,
            offered: 100,
            lost_on_wire: 100 - captured,
            dropped: 0,
            lost_between: 0,
            captured,
            kernel_per_frame: Some(kernel),
            program_per_frame: Some(100.0),
            wait_ns: (captured == 100).then_some(kernel * 2.0),
        }
    }

    fn ways() -> Ways {
        let mut rows = Vec::new();
        for (way, kernel) in [(Way::Recvfrom, 5900.0), (Way::TpacketV3, 2900.0)] {
            rows.push(row(way, 247.0, 100, kernel * 2.0));
            rows.push(row(way, COMPARED, 100, kernel));
            rows.push(row(way, 1.4e6, 20, kernel));
        }
        rows.push(Row {
            reason: Some("its driver can't".into()),
            ..row(Way::AfXdpZerocopy, 247.0, 100, 1.0)
        });
        Ways {
            format: FORMAT,
            frames: 100,
            buffer_bytes: 8 << 20,
            lab: None,
            rows,
        }
    }

    #[test]
    fn the_cheapest_way_is_told_beside_the_papers() {
        let answers = answers(&ways());
        assert_eq!(answers.len(), 1);
        assert!(
            answers[0].contains("least by tpacket-v3 (3,000 instructions, 50 % of recvfrom's)"),
            "{answers:?}"
        );
    }

    #[test]
    fn a_way_that_cannot_be_had_is_shown_with_its_reason() {
        let text = shown(&ways());
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            text.contains("af-xdp-zerocopy:\n  its driver can't"),
            "{text}"
        );
        let table = table(&ways());
        assert_eq!(table.rows.len(), 3);
        assert!(table
            .rows
            .iter()
            .all(|row| row.len() == table.columns.len()));
    }

    #[test]
    fn a_loss_ends_what_is_lossless() {
        let ways = ways();
        let all = measured(&ways);
        assert_eq!(all[0].lossless(), Some(COMPARED));
    }
}
