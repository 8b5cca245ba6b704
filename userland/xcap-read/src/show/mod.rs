// SPDX-License-Identifier: GPL-2.0

//! A report as text for a terminal or a pipe.

mod bars;
mod columns;
mod numbers;
mod tables;

use std::collections::HashMap;

use xcap_abi::state::State;

use crate::report::{Report, StageReport};

pub use bars::histogram;

/// What to draw, and how wide it may be.
#[derive(Debug, Clone)]
pub struct View {
    /// Characters in a line.
    pub width: usize,
    /// Also the quantiles.
    pub percentiles: bool,
    /// Calls since the last drawing, by stage and function.
    pub new: Option<HashMap<Key, u64>>,
}

/// Tells stages apart: name and function.
pub type Key = (String, Option<String>);

impl Default for View {
    fn default() -> Self {
        Self {
            width: 80,
            percentiles: false,
            new: None,
        }
    }
}

/// What machine, what clock, and what to beware of.
pub fn head(report: &Report, width: usize) -> String {
    let mut out = wrapped("", &machine(report), width);
    for warning in &report.warnings {
        out += &wrapped("warning: ", warning, width);
    }
    out
}

fn machine(report: &Report) -> String {
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
        out += "\nNo stages: echo 'add FUNCTION' > /sys/kernel/debug/xcap/control\n";
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
