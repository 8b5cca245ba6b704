// SPDX-License-Identifier: GPL-2.0

//! What a demo prints: a column a scenario.

use comfy_table::{presets, CellAlignment, Table};
use xcap_stats::report::StageReport;
use xcap_study::frames::{Frames, Hop};
use xcap_study::layout::report;
use xcap_study::load::Run;
use xcap_study::run_id::Domain;

fn heading(first: &str, runs: &[Run]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = runs.iter().map(|run| run.id.scenario.to_string());
    table.set_header(std::iter::once(first.to_owned()).chain(names));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_padding((0, 1));
    }
    table
}

/// What each stage that was called cost in a domain.
pub fn stages(runs: &[Run], domain: Domain) -> Table {
    let reports: Vec<_> = runs
        .iter()
        .map(|run| (report(&run.stats[&domain]), run.frames.at(domain)))
        .collect();
    let mut table = heading("stage", runs);
    let Some((first, _)) = reports.first() else {
        return table;
    };
    for name in first.stages.iter().map(|stage| &stage.stage) {
        let all = || {
            reports
                .iter()
                .map(|(report, frames)| (report.stage(name), *frames))
        };
        if all().all(|(stage, _)| stage.is_none_or(|stage| stage.count == 0)) {
            continue;
        }
        let cells = all()
            .map(|(stage, frames)| stage.map_or("–".to_owned(), |stage| cell(stage, frames)));
        table.add_row(std::iter::once(name.clone()).chain(cells));
    }
    table
}

fn cell(stage: &StageReport, frames: u64) -> String {
    let Some(mean) = stage.mean else {
        return "–".to_owned();
    };
    let interval = stage.ci95.map_or("?".to_owned(), short);
    // A call that began before the run isn't one that was missed in it.
    let missed = match stage.missed - stage.missed_straddled {
        0 => String::new(),
        missed => format!(", {missed} missed"),
    };
    let per_frame = match frames {
        0 => "–".to_owned(),
        frames => short(stage.sum as f64 / frames as f64),
    };
    format!(
        "{} ± {interval}\n({}{missed})\n{per_frame}",
        short(mean),
        stage.count
    )
}

/// Four digits at most: `987`, `12.3k`, `4.57M`.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v < 9_999.5 => return format!("{value:.0}"),
        v if v < 999_950.0 => (value / 1e3, "k"),
        v if v < 999_950_000.0 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    let digits = match scaled.abs() {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$}{unit}")
}

/// Where frames went.
pub fn frames(runs: &[Run]) -> Table {
    let mut table = heading("frames", runs);
    let mut row = |name: &str, value: &dyn Fn(&Frames) -> String| {
        let cells = runs.iter().map(|run| value(&run.frames));
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    };
    row("sent", &|frames| frames.sent.to_string());
    row("seen by the NIC", &|frames| {
        frames.hop("nic").map_or(0, |nic| nic.came).to_string()
    });
    row("dropped", &|frames| {
        let losses = frames.hops.iter().flat_map(Hop::losses);
        let losses: Vec<String> = losses
            .map(|(lost, place)| format!("{lost} {place}"))
            .collect();
        match losses.is_empty() {
            true => "0".to_owned(),
            false => losses.join("\n"),
        }
    });
    row("captured", &|frames| frames.captured.to_string());
    row("unaccounted", &|frames| frames.unaccounted.to_string());
    table
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_cut_to_what_a_column_holds() {
        let shown = [
            0.4,
            987.2,
            9_999.4,
            9_999.6,
            12_345.0,
            999_949.0,
            999_960.0,
            4_567_000.0,
            2.5e9,
        ];
        let shown = shown.map(short);
        assert_eq!(
            shown,
            ["0", "987", "9999", "10.0k", "12.3k", "1000k", "1.00M", "4.57M", "2.50G"]
        );
    }
}
