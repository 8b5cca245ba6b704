// SPDX-License-Identifier: GPL-2.0

//! A report as text for a terminal or a pipe.

mod bars;
mod columns;
mod numbers;
mod per_cpu;
mod tables;
mod view;

use xcap_abi::paths::CONTROL;
use xcap_abi::state::State;

use xcap_stats::report::{Report, StageReport};
use xcap_stats::PerCpuReport;

pub use bars::histogram;
pub use numbers::{cut, figure};
pub use view::{Key, View};

/// What machine, what clock, and what to beware of.
pub fn head(report: &Report, width: usize) -> String {
    let mut out = wrapped("", &machine(report), width);
    for warning in &report.warnings {
        out += &wrapped("warning: ", warning, width);
    }
    out
}

/// What machine, and what clock.
pub fn machine(report: &Report) -> String {
    let mut parts = vec![
        format!("xcap on {}", report.kernel),
        report.role.clone(),
        format!("TSC {:.3} MHz", report.tsc_khz as f64 / 1e3),
    ];
    if let Some(tsc) = &report.tsc {
        parts.push(if tsc.trapped { "trapped" } else { "native" }.into());
        parts.push(format!("read in {} cycles", tsc.rdtsc_cycles));
        parts.push(format!("CPUs within {} cycles", tsc.skew_cycles));
    }
    if report.is_difference {
        parts.push("difference of two readings".into());
    }
    parts.join(", ")
}

/// What each CPU measured: head, and a table of the stages' CPUs.
pub fn per_cpu(total: &Report, cpus: &PerCpuReport, width: usize) -> String {
    format!("{}\n{}", head(total, width), per_cpu::per_cpu(total, cpus))
}

/// The whole report: head, tables, and the stages that aren't armed.
pub fn report(report: &Report, view: &View) -> String {
    let stages = report.stages.iter();
    let shown: Vec<_> = stages
        .clone()
        .filter(|stage| stage.is_armed() || stage.count > 0)
        .collect();
    // What is stopped has its samples to show, and a warning above them.
    let idle: Vec<_> = stages
        .filter(|stage| {
            !(stage.is_armed() || stage.state == State::Stopped.word() && stage.count > 0)
        })
        .collect();
    let mut out = head(report, view.width);
    for block in [
        tables::calls(report, &shown, view),
        tables::own_cost(report, &shown),
        tables::quantiles(&shown, view),
        not_armed(&idle, view.width),
    ] {
        if !block.is_empty() {
            out += "\n";
            out += &block;
        }
    }
    if report.stages.is_empty() {
        out += &format!("\nNo stages: echo 'add FUNCTION' > {CONTROL}\n");
    }
    out
}

fn not_armed(stages: &[&StageReport], width: usize) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut out = "Not armed:\n".to_owned();
    for stage in stages {
        let why = stage.explanation.as_deref().unwrap_or(&stage.state);
        out += &wrapped(&format!("  {:<10} ", stage.stage), why, width);
    }
    out
}

/// `text` after `label`, its further lines set in by as much.
fn wrapped(label: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(label.len());
    let options = textwrap::Options::new(width)
        .initial_indent(label)
        .subsequent_indent(&indent)
        .break_words(false);
    textwrap::fill(text, options) + "\n"
}
