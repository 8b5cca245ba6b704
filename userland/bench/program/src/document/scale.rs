// SPDX-License-Identifier: GPL-2.0

//! How costs grow with probes, and what CPUs share.

use super::text::{table, UNKNOWN};
use crate::bench::Benchmark;
use crate::scale::{Scale, STEPS};
use crate::shared_lines::{Shared, SharedLine};
use crate::two_cpus::CPUS;
use std::fmt::Write;
use xcap_lines::LINE_BYTES;

pub fn write(out: &mut String, benchmark: &Benchmark) {
    out.push_str("## Scale\n\n");
    if !benchmark.scale.is_empty() {
        growth(out, &benchmark.scale);
    }
    if !benchmark.two_cpus.is_empty() {
        cpus(out, &benchmark.two_cpus);
    }
}

fn growth(out: &mut String, all: &[Scale]) {
    let last = STEPS[STEPS.len() - 1];
    out.push_str("Instructions of a call, with so many probes armed:\n\n");
    let steps = STEPS.map(|step| step.to_string());
    let mut header = vec!["backend", "no probe"];
    header.extend(steps.iter().map(String::as_str));
    let rows = all.iter().map(|scale| {
        let mut row = vec![scale.backend.clone(), format!("{:.1}", scale.unprobed)];
        row.extend(scale.instructions.iter().map(|count| format!("{count:.1}")));
        row
    });
    table(out, &header, rows);
    let _ = write!(
        out,
        "Time and memory for {last} probes, one CPU; `insmod` alone, and from its begin until a first sample\n\
         of a probe added then was read:\n\n"
    );
    let header = [
        "backend",
        "insmod, ms",
        "first sample, ms",
        "arm, ms",
        "read, ms",
        "stop, ms",
        "del one by one, ms",
        "rmmod, ms",
        "per-CPU bytes a probe and CPU",
        "all bytes a probe",
    ];
    let rows = all.iter().map(|scale| {
        let mut row = vec![scale.backend.clone()];
        let times = [
            scale.insmod_ms,
            scale.first_sample_ms,
            scale.arm_ms,
            scale.read_ms,
            scale.stop_ms,
            scale.del_ms,
            scale.rmmod_ms,
        ];
        row.extend(times.map(|ms| format!("{ms:.1}")));
        row.extend([
            format!("{:.0}", scale.per_cpu_bytes),
            format!("{:.0}", scale.bytes),
        ]);
        row
    });
    table(out, &header, rows);
}

fn cpus(out: &mut String, all: &[Shared]) {
    let _ = write!(
        out,
        "Two CPUs that hit one probe at once, each in a process of its own, in an emulator that records every\n\
         access to memory (userland/bench/lines-qemu). *shared*: lines of {LINE_BYTES} bytes that both CPUs touch with\n\
         every hit, and one or both write: on hardware, what would go to and fro between their caches.\n\
         *now and then*: lines that both touch and write less often than every other call, as a timer's tick\n\
         and the scheduler do. *both at it*: of all accesses, those made while both CPUs were calling. There\n\
         are no times, since the emulator has no caches: a shared line costs nothing there. The first row,\n\
         without a probe, shows that sharing is seen: two threads of one process, which have one umask.\n\n",
    );
    let rows = all.iter().map(|shared| {
        vec![
            shared.probe.clone(),
            (u64::from(shared.calls) * CPUS as u64).to_string(),
            shared
                .count
                .map_or(UNKNOWN.to_owned(), |count| count.to_string()),
            shared.lines.len().to_string(),
            shared.rare.to_string(),
            format!("{:.0} %", shared.together * 100.0),
        ]
    });
    table(
        out,
        &[
            "probe",
            "calls",
            "counted",
            "shared",
            "now and then",
            "both at it",
        ],
        rows,
    );
    let notes = all
        .iter()
        .flat_map(|shared| shared.lines.iter().map(|line| note(&shared.probe, line)));
    let notes: String = notes.collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "{notes}");
    }
}

fn note(probe: &str, line: &SharedLine) -> String {
    let owner = if line.is_xcaps() {
        "xcap"
    } else {
        "the kernel"
    };
    let functions = line.functions.iter().map(|name| format!("`{name}`"));
    format!(
        "- {probe}: a line of {owner}'s, {:.2} reads and {:.2} writes a call, by {}\n",
        line.reads,
        line.writes,
        functions.collect::<Vec<_>>().join(", ")
    )
}
