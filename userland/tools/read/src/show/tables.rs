// SPDX-License-Identifier: GPL-2.0

//! The blocks of the report.

use crate::show::columns::lines;
use crate::show::numbers::{brief, cut, optional};
use crate::show::view::View;
use xcap_stats::report::{Report, StageReport};
use xcap_stats::{CostChoice, Quantile};

/// Longest stage name in a table of 80 columns.
const NAME: usize = 14;

/// Calls, mean, interval, deviation, misses; one line a stage where the width
/// allows, else the function in a line of its own.
pub fn calls(report: &Report, stages: &[&StageReport], view: &View) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let one_line = calls_lines(report, stages, view, true);
    if one_line
        .iter()
        .all(|line| line.chars().count() <= view.width)
    {
        return joined(one_line);
    }
    let mut numbers = calls_lines(report, stages, view, false).into_iter();
    let mut out: Vec<String> = numbers.next().into_iter().collect();
    for (line, stage) in numbers.zip(stages) {
        out.push(line);
        let name = if cut(&stage.stage, NAME) == stage.stage {
            String::new()
        } else {
            format!("{}: ", stage.stage)
        };
        out.push(format!("  {name}{}, {}", function(stage), backend(stage)));
    }
    joined(out)
}

fn calls_lines(
    report: &Report,
    stages: &[&StageReport],
    view: &View,
    one_line: bool,
) -> Vec<String> {
    let interval = format!("± {} %", report.level);
    let mut header = vec!["stage"];
    if one_line {
        header.extend(["function", "backend"]);
    }
    let names = header.len();
    header.push("calls");
    if view.new.is_some() {
        header.push("new");
    }
    header.extend(["mean cycles", &interval, "µs", "sd", "missed"]);
    let rows = stages.iter().map(|stage| {
        let mut row = if one_line {
            vec![stage.stage.clone(), function(stage), backend(stage)]
        } else {
            vec![cut(&stage.stage, NAME)]
        };
        row.push(stage.count.to_string());
        if let Some(new) = &view.new {
            let key = (stage.stage.clone(), stage.function.clone());
            row.push(new.get(&key).map_or_else(|| "-".into(), u64::to_string));
        }
        row.extend([
            optional(stage.mean),
            optional(stage.ci.map(|interval| interval.half_width)),
            optional(stage.mean_us),
            optional(stage.stddev),
            stage.missed.to_string(),
        ]);
        row
    });
    lines(&header, rows.collect(), names)
}

fn function(stage: &StageReport) -> String {
    stage.function.clone().unwrap_or_else(|| "-".into())
}

fn backend(stage: &StageReport) -> String {
    stage.backend.clone().unwrap_or_else(|| "-".into())
}

/// Self times, cost per unit of work, and values less the probes' own cost.
pub fn own_cost(report: &Report, stages: &[&StageReport]) -> String {
    let stages: Vec<_> = stages.iter().filter(|stage| stage.count > 0).collect();
    if stages.is_empty() {
        return String::new();
    }
    let header = [
        "stage",
        "self cycles",
        "per work",
        "mean*",
        "self*",
        "per work*",
    ];
    let rows = stages.iter().map(|stage| {
        let corrected = stage.corrected.as_ref();
        vec![
            cut(&stage.stage, NAME),
            optional(stage.self_time.mean),
            per_work(stage, stage.cycles_per_work),
            optional(corrected.and_then(|corrected| corrected.mean)),
            optional(corrected.and_then(|corrected| corrected.self_mean)),
            optional(corrected.and_then(|corrected| corrected.cycles_per_work)),
        ]
    });
    let title = match report.cost {
        CostChoice::Hot => "Self time and work (* less what the probes themselves cost, hot):",
        CostChoice::Cold => "Self time and work (* less what the probes themselves cost, cold):",
        CostChoice::None => "Self time and work (nothing taken off):",
    };
    format!("{title}\n{}", joined(lines(&header, rows.collect(), 1)))
}

fn per_work(stage: &StageReport, cycles: Option<f64>) -> String {
    match &stage.work_unit {
        Some(unit) if cycles.is_some() => {
            format!("{}/{}", optional(cycles), unit.trim_end_matches('s'))
        }
        _ => optional(cycles),
    }
}

/// Bounds of the quantiles, and the extremes.
pub fn quantiles(stages: &[&StageReport], view: &View) -> String {
    if !view.percentiles || stages.is_empty() {
        return String::new();
    }
    let header = ["stage", "min", "p50", "p90", "p99", "p99.9", "max"];
    let extreme = |value: Option<u64>| value.map_or_else(|| "-".into(), brief);
    let rows = stages.iter().map(|stage| {
        vec![
            cut(&stage.stage, NAME),
            extreme(stage.min),
            bounds(stage.p50),
            bounds(stage.p90),
            bounds(stage.p99),
            bounds(stage.p99_9),
            extreme(stage.max),
        ]
    });
    format!(
        "Percentiles, cycles (lower and upper bound):\n{}",
        joined(lines(&header, rows.collect(), 1))
    )
}

fn bounds(quantile: Option<Quantile>) -> String {
    match quantile {
        None => "-".into(),
        Some(Quantile { low, high, .. }) if low == high => brief(low),
        Some(Quantile { low, high, .. }) => format!("{}–{}", brief(low), brief(high)),
    }
}

fn joined(lines: Vec<String>) -> String {
    lines.join("\n") + "\n"
}
