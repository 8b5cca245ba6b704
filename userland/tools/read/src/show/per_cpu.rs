// SPDX-License-Identifier: GPL-2.0

//! A stage's CPUs, one below the other.

use xcap_stats::report::StageReport;
use xcap_stats::{PerCpuReport, Report};

use crate::show::columns::lines;
use crate::show::numbers::{brief, cut, optional};

/// Longest stage name in a table of 80 columns.
const NAME: usize = 14;

/// Each stage of `total`, then each CPU's part of it.
pub fn per_cpu(total: &Report, cpus: &PerCpuReport) -> String {
    let mut rows = Vec::new();
    for stage in total.stages.iter().filter(|stage| stage.entries > 0) {
        rows.push(row(cut(&stage.stage, NAME), "all".into(), stage, stage));
        for one in &cpus.cpus {
            let cpu = one.cpu.map_or_else(|| "?".into(), |cpu| cpu.to_string());
            if let Some(part) = one.report.stage(&stage.stage) {
                rows.push(row(String::new(), cpu, part, stage));
            }
        }
    }
    let header = [
        "stage",
        "cpu",
        "calls",
        "share",
        "mean cycles",
        "sd",
        "max",
        "missed",
    ];
    lines(&header, rows, 1).join("\n") + "\n"
}

fn row(name: String, cpu: String, part: &StageReport, all: &StageReport) -> Vec<String> {
    let share = 100.0 * part.count as f64 / all.count as f64;
    vec![
        name,
        cpu,
        part.count.to_string(),
        if all.count > 0 {
            format!("{share:.1} %")
        } else {
            "-".into()
        },
        optional(part.mean),
        optional(part.stddev),
        part.max.map_or_else(|| "-".into(), brief),
        part.missed.to_string(),
    ]
}
