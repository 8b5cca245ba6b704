// SPDX-License-Identifier: GPL-2.0

//! `demo`: the paper's measurement, once.

use crate::cli::DemoOptions;
use anyhow::{Context, Result};
use comfy_table::{presets, CellAlignment, Table};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use xcap_machines::config::emulation::Accelerator;
use xcap_machines::hops::Hops;
use xcap_machines::progress::step;
use xcap_machines::scenario::{self, Measured, Run, SCENARIOS};
use xcap_machines::{Config, Lab, Materials, Place};
use xcap_output::print;
use xcap_stats::report::{Report, StageReport};

pub fn demo(options: &DemoOptions) -> Result<ExitCode> {
    let materials = Materials::prepare(None)?;
    let mut lab = Lab::boot(&materials, &Config::xen())?;
    match measure(&lab, options) {
        Ok(outcomes) => {
            show(&outcomes, options)?;
            lab.logs().check()?;
            Ok(ExitCode::SUCCESS)
        }
        Err(e) => Err(lab.explain(e)),
    }
}

fn measure(lab: &Lab, options: &DemoOptions) -> Result<Vec<Measured>> {
    let run = Run {
        frames: options.frames,
        ..Run::default()
    };
    let mut outcomes = Vec::new();
    for scenario in SCENARIOS {
        let running = step(format!("{scenario}: {} frames", options.frames));
        let measured = scenario::run(lab, scenario, run)?;
        save(&options.results.join(scenario.to_string()), &measured)?;
        running.done();
        outcomes.push(measured);
    }
    Ok(outcomes)
}

fn save(folder: &Path, measured: &Measured) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
    for (place, report) in &measured.reports {
        write(&folder.join(format!("{place}.json")), report)?;
    }
    let hops = serde_json::to_string_pretty(&measured.hops)?;
    write(&folder.join("frames.json"), &hops)
}

/// Atomically: who reads it finds the last run's or this one's.
fn write(path: &Path, text: &str) -> Result<()> {
    let partial = path.with_extension("partial");
    let cannot = || format!("cannot write '{}'", path.display());
    fs::write(&partial, format!("{}\n", text.trim_end())).with_context(cannot)?;
    fs::rename(&partial, path).with_context(cannot)
}

fn show(outcomes: &[Measured], options: &DemoOptions) -> Result<()> {
    for place in [Place::Dom0, Place::DomU] {
        let reports: Result<Vec<Report>, _> = outcomes
            .iter()
            .map(|measured| serde_json::from_str(&measured.reports[&place]))
            .collect();
        let reports = reports.with_context(|| format!("what xcap-read printed in {place}"))?;
        let frames: Vec<u64> = outcomes
            .iter()
            .map(|measured| frames_of(place, &measured.hops))
            .collect();
        print(&format!(
            "\n{place}: cycles a call ± 95 % (calls), cycles a frame\n{}\n",
            stages(&reports, &frames).trim_fmt()
        ))?;
    }
    print(&format!(
        "\nframes\n{}\n\n{}\nResults: {}\n",
        frames(outcomes).trim_fmt(),
        caveat(Accelerator::detect()),
        options.results.display()
    ))?;
    Ok(())
}

/// What the figures are not.
fn caveat(accelerator: Accelerator) -> &'static str {
    match accelerator {
        Accelerator::Tcg => "These are cycles of an emulated processor: they compare with each other, not with hardware's.",
        Accelerator::Kvm => "These are cycles in a virtual machine, its devices emulated: not those of hardware alone.",
    }
}

/// Frames that a domain handled.
fn frames_of(place: Place, hops: &Hops) -> u64 {
    match place {
        Place::DomU => hops.netfront_rx.unwrap_or(hops.captured),
        _ => hops.nic_rx,
    }
}

fn heading(first: &str) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = SCENARIOS.map(|scenario| scenario.to_string());
    table.set_header(std::iter::once(first.to_owned()).chain(names));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_padding((0, 1));
    }
    table
}

fn stages(reports: &[Report], frames: &[u64]) -> Table {
    let mut table = heading("stage");
    for (at, stage) in reports[0].stages.iter().enumerate() {
        if reports.iter().all(|report| report.stages[at].count == 0) {
            continue;
        }
        let cells = reports
            .iter()
            .zip(frames)
            .map(|(report, &frames)| cell(&report.stages[at], frames));
        table.add_row(std::iter::once(stage.stage.clone()).chain(cells));
    }
    table
}

fn cell(stage: &StageReport, frames: u64) -> String {
    let Some(mean) = stage.mean else {
        return "–".to_owned();
    };
    let interval = stage.ci95.map_or("?".to_owned(), short);
    let missed = match stage.missed {
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

fn frames(outcomes: &[Measured]) -> Table {
    let mut table = heading("frames");
    let mut row = |name: &str, value: &dyn Fn(&Hops) -> String| {
        let cells = outcomes.iter().map(|measured| value(&measured.hops));
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    };
    row("sent", &|hops| hops.sent.to_string());
    row("seen by the NIC", &|hops| hops.nic_rx.to_string());
    row("dropped", &|hops| {
        let losses = hops
            .losses()
            .into_iter()
            .map(|(place, lost)| format!("{lost} {place}"));
        let losses: Vec<String> = losses.collect();
        match losses.is_empty() {
            true => "0".to_owned(),
            false => losses.join("\n").replace(" dropped", ""),
        }
    });
    row("captured", &|hops| hops.captured.to_string());
    row("unaccounted", &|hops| hops.unaccounted().to_string());
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
