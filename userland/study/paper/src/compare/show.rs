// SPDX-License-Identifier: GPL-2.0

//! A comparison as text, in 80 columns.

use std::fmt::Write;

use super::format::{Comparison, Line, Verdict};
use crate::numbers::{percent, short};

/// A change, of a ratio.
fn change(ratio: f64) -> String {
    let digits = if (ratio - 1.0).abs() < 0.0995 { 1 } else { 0 };
    format!("{:+.digits$} %", 100.0 * (ratio - 1.0)).replace('-', "−")
}

/// The comparison, a line a stage.
pub fn text(comparison: &Comparison) -> String {
    let names = |kernels: &std::collections::BTreeSet<String>| {
        kernels.iter().cloned().collect::<Vec<_>>().join(", ")
    };
    let mut out = format!(
        "OLD {}\nNEW {}\nSelf time a frame, {} ({}), less the probes' own cost; 95 % intervals\n",
        names(&comparison.old_kernels),
        names(&comparison.new_kernels),
        comparison.unit.word(),
        comparison.world,
    );
    let mut heading = None;
    for line in &comparison.lines {
        let here = (line.environment, &line.scenario, line.buffer);
        if heading.as_ref() != Some(&here) {
            out += &head(line);
            heading = Some(here);
        }
        out += &row(line);
    }
    let margin = percent(comparison.margin);
    out += &format!(
        "\nsame: within ±{margin}. more, less: p < 0.05, by Holm over all lines. ?: can't\n\
         tell; in brackets: the smallest change that four of five such comparisons find.\n"
    );
    if let Some(bound) = comparison.fail_above {
        let failed: Vec<&Line> = comparison
            .lines
            .iter()
            .filter(|line| line.exceeds)
            .collect();
        match failed.len() {
            0 => writeln!(out, "No stage grew by more than {}.", percent(bound)).ok(),
            n => writeln!(
                out,
                "! Beyond {}: {n} of {} lines.",
                percent(bound),
                comparison.lines.len()
            )
            .ok(),
        };
    }
    if !comparison.left_out.is_empty() {
        out += "Not compared:\n";
        for line in &comparison.left_out {
            writeln!(out, "  {line}").ok();
        }
    }
    out
}

fn head(line: &Line) -> String {
    let mut name = line.environment.name().to_owned();
    match (&line.scenario, line.buffer) {
        (Some(scenario), Some(buffer)) => name += &format!(" {scenario} {buffer}"),
        _ => name += ", all scenarios",
    }
    format!(
        "\n{name:<21}{:>9}{:>9}{:>9}  {:<19}\n",
        "old", "new", "change", "interval"
    )
}

fn row(line: &Line) -> String {
    let name: String = format!("{} {}", line.domain, line.stage)
        .chars()
        .take(20)
        .collect();
    let interval = match (line.low, line.high) {
        (Some(low), Some(high)) => format!("{} to {}", change(low), change(high)),
        _ => "–".into(),
    };
    let mark = if line.exceeds { "!" } else { " " };
    let sees = match (line.verdict, line.detectable) {
        (Verdict::Undecided, Some(ratio)) => format!("? ({})", percent(ratio - 1.0)),
        (verdict, _) => verdict.word().into(),
    };
    let text = format!(
        "{name:<20}{mark}{:>9}{:>9}{:>9}  {interval:<17} {sees}",
        short(line.old),
        short(line.new),
        change(line.ratio),
    );
    format!("{}\n", text.trim_end())
}
