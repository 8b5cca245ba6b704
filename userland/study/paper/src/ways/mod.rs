// SPDX-License-Identifier: GPL-2.0

//! Ways of capturing: written as JSON, as tables, and shown.

mod measured;
mod table;

use std::path::Path;

use anyhow::Result;
use xcap_frames::Way;
use xcap_machines::files::replace;
use xcap_output::print;
use xcap_study::run::ways::Ways;

use crate::data::csv;
use crate::loads;
use crate::numbers::{percent, short};
use measured::{measured, Measured};
pub use table::{captured, table};

/// Its file in a results folder.
pub const WAYS: &str = "ways.json";

/// Writes what was measured, and shows it.
pub fn write(results: &Path, ways: &Ways) -> Result<()> {
    let tables = results.join("tables");
    let table = table(ways);
    replace(&tables.join("ways.csv"), csv(ways.rows.iter())?)?;
    replace(&tables.join("ways.md"), table.markdown())?;
    replace(&tables.join("ways-captured.md"), captured(ways).markdown())?;
    loads::json(&results.join(WAYS), ways)?;
    Ok(print(&shown(ways))?)
}

/// What a results folder has of it.
pub fn read(results: &Path) -> Result<Option<Ways>> {
    loads::read(&results.join(WAYS), "account of ways of capturing")
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
        let lost = one.fastest().map(|row| 1.0 - row.captured_share());
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
    use super::measured::COMPARED;
    use super::*;
    use crate::tables::Cell;
    use xcap_study::format::FORMAT;
    use xcap_study::run::ways::Row;
    use xcap_study::run_id::{Domain, Environment};

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
    fn what_is_captured_at_each_rate_has_a_column() {
        let table = captured(&ways());
        assert_eq!(
            table.columns,
            ["where", "bytes", "way", "247/s", "20.0 k/s", "1.40 M/s"]
        );
        let shown: Vec<&str> = table.rows[0].iter().map(Cell::shown).collect();
        assert_eq!(shown[3..], ["100 %", "100 %", "20 %"]);
        assert_eq!(table.rows.len(), 2, "what can't be had captures nothing");
    }

    #[test]
    fn a_loss_ends_what_is_lossless() {
        let ways = ways();
        let all = measured(&ways);
        assert_eq!(all[0].lossless(), Some(COMPARED));
    }
}
