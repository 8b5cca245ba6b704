// SPDX-License-Identifier: GPL-2.0

//! docs/benchmarks.md.

use crate::bench::{Benchmark, Row};
use crate::exact::TOLERANCE;
use crate::scale::{Scale, STEPS};
use crate::shared_lines::{Shared, SharedLine};
use crate::two_cpus::CPUS;
use crate::umask::{Experiment, PAPER_PROBED, PAPER_PROBED_99, PAPER_UNPROBED};
use std::fmt::Write;
use xcap_lines::LINE_BYTES;

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn table(out: &mut String, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(header.iter().map(|&cell| cell.to_owned()).collect()));
    out.push_str("|---|");
    out.push_str(&"--:|".repeat(header.len() - 1));
    out.push('\n');
    for row in rows {
        out.push_str(&line(row));
    }
    out.push('\n');
}

pub fn markdown(benchmark: &Benchmark) -> String {
    let mut out = String::new();
    introduction(&mut out, benchmark);
    probes(&mut out, &benchmark.rows);
    truth(&mut out, benchmark);
    scale(&mut out, benchmark);
    if let Some(experiment) = &benchmark.umask {
        umask(&mut out, experiment);
    }
    if !benchmark.failed.is_empty() {
        out.push_str("## Not measured\n\n");
        for (part, reason) in &benchmark.failed {
            let _ = writeln!(out, "- {part}: {}", reason.replace('\n', " "));
        }
    }
    out
}

fn introduction(out: &mut String, benchmark: &Benchmark) {
    let unprobed = benchmark
        .rows
        .first()
        .and_then(|row| row.instructions_per_call);
    let _ = write!(
        out,
        "# What a probe costs\n\n\
         Made by `make bench`; edit userland/bench/program/src/document.rs, not this.\n\n\
         The work: time every call of `__x64_sys_umask` and keep count, sum and sum of squares, or the\n\
         nearest that the tool has. An unprobed call takes {} instructions, from the calling loop in\n\
         user mode and back.\n\n\
         ## Conditions\n\n\
         - Kernel {}, as Debian built it; the same for every row.\n\
         - {}, emulating one CPU (`-cpu max`) that counts instructions: the TSC ticks once an\n  \
         instruction, and a run gives the same figures on any machine. **These are instructions, not\n  \
         hardware cycles**: a cache miss costs nothing here, an expensive instruction is one like any\n  \
         other. They say how much work a probe is, and they can be compared with each other.\n\
         - Times (ms) on that machine are at one instruction a ns; waiting counts as time.\n\
         - Each peer ran in a guest of its own, from Debian's packages of the day.\n\
         - A call's cost is the median of 61 batches of 500 calls, once two in a row agree.\n\n",
        number(unprobed, 1),
        benchmark.kernel,
        benchmark.qemu,
    );
}

fn probes(out: &mut String, rows: &[Row]) {
    let _ = write!(
        out,
        "## Every probe and peer\n\n\
         *reported*: the mean that the tool gives for a function of {:.0} instructions. What is beyond\n\
         {:.0} is the tool's own cost, sold as the kernel's; xcap's *corrected* mean has it taken off.\n\
         *lost*: calls made that the tool did not count. *memory*: resident processes, kernel module or\n\
         ring buffer. *install*: packages with all that they need, beyond what every Debian has.\n\n",
        rows.first().map_or(0.0, |row| row.known_length),
        rows.first().map_or(0.0, |row| row.known_length),
    );
    let header = [
        "probe",
        "instructions a call",
        "× unprobed",
        "reported",
        "corrected",
        "lost",
        "arm, ms",
        "memory, MB",
        "install, MB",
    ];
    let cells = |row: &Row| {
        if !row.works {
            let mut cells = vec![row.probe.clone(), "doesn't run¹".to_owned()];
            cells.resize(header.len(), "–".to_owned());
            return cells;
        }
        let lost = match (row.lost, row.calls) {
            (Some(lost), Some(calls)) if lost > 0 => {
                format!("{:.1} %", lost as f64 * 100.0 / calls as f64)
            }
            (Some(lost), _) => lost.to_string(),
            (None, _) => "–".to_owned(),
        };
        vec![
            row.probe.clone(),
            number(row.instructions_per_call, 1),
            number(row.times_unprobed, 2),
            number(row.reported_mean, 1),
            number(row.corrected_mean, 2),
            lost,
            number(row.arm_ms, 1),
            number(row.memory_kib.map(|kib| kib as f64 / 1024.0), 1),
            number(row.install_mb, 1),
        ]
    };
    table(out, &header, rows.iter().map(cells));
    for row in rows.iter().filter(|row| !row.works) {
        let _ = writeln!(
            out,
            "¹ {}: {}\n",
            row.probe,
            row.reason.as_deref().unwrap_or("no reason given")
        );
    }
    let notes: Vec<String> = rows
        .iter()
        .filter(|row| row.version.is_some() || row.note.is_some())
        .map(|row| {
            let parts = [row.version.as_deref(), row.note.as_deref()];
            format!(
                "- {}: {}\n",
                row.probe,
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            )
        })
        .collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "{}", notes.concat());
    }
}

fn truth(out: &mut String, benchmark: &Benchmark) {
    let _ = write!(
        out,
        "## Whether the reports are true\n\n\
         Functions of known length (userland/lab/targets), each called often: the mean of the raw samples, and\n\
         corrected. A corrected mean has to be within {TOLERANCE} instruction of the truth.\n\n"
    );
    let rows = benchmark.exact.iter().map(|one| {
        let nested = if one.nested {
            ", its callee probed too"
        } else {
            ""
        };
        vec![
            one.backend.clone().unwrap_or_else(|| "none".to_owned()),
            format!("{}{nested}", one.function),
            one.length.to_string(),
            format!("{:.2}", one.mean),
            format!("{:.2}", one.corrected),
            if one.holds() { "yes" } else { "**no**" }.to_owned(),
        ]
    });
    table(
        out,
        &["probe", "function", "length", "raw", "corrected", "true"],
        rows,
    );
}

fn scale(out: &mut String, benchmark: &Benchmark) {
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
                .map_or("–".to_owned(), |count| count.to_string()),
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

fn umask(out: &mut String, experiment: &Experiment) {
    let runs = experiment
        .series
        .first()
        .map_or(0, |series| series.runs.len());
    let _ = write!(
        out,
        "## The paper's experiment\n\n\
         {runs} runs of {} calls of `umask()`, timed by the calling program: µs a call with the interval's\n\
         half width. Ours under emulation by the host's clock, on a machine that may have had other work;\n\
         the paper's on its hardware of 2006, so that the ratios are what compares. On a machine of your own:\n\
         `xcap-bench umask`.\n\n",
        experiment.calls,
    );
    let unprobed = experiment
        .series
        .first()
        .map_or(f64::NAN, |series| series.mean);
    let mut rows: Vec<Vec<String>> = experiment
        .series
        .iter()
        .map(|series| {
            let saw = series.probe_saw.as_ref();
            vec![
                if saw.is_some() {
                    format!("xcap {}", series.probe)
                } else {
                    series.probe.clone()
                },
                format!("{:.5} ± {:.5}", series.mean, series.ci95),
                format!("± {:.5}", series.ci99),
                format!("{:.2}", series.mean / unprobed),
                saw.map_or("–".to_owned(), |saw| saw.count.to_string()),
                saw.map_or("–".to_owned(), |saw| saw.missed.to_string()),
            ]
        })
        .collect();
    let ((mean, ci95), (probed, probed_ci95)) = (PAPER_UNPROBED, PAPER_PROBED);
    let dash = || "–".to_owned();
    rows.push(vec![
        "paper: none".into(),
        format!("{mean:.5} ± {ci95:.5}"),
        dash(),
        "1.00".into(),
        dash(),
        dash(),
    ]);
    rows.push(vec![
        "paper: SystemTap".into(),
        format!("{probed:.5} ± {probed_ci95:.5}"),
        format!("± {PAPER_PROBED_99:.5}"),
        format!("{:.2}", probed / mean),
        dash(),
        dash(),
    ]);
    table(
        out,
        &[
            "probe",
            "µs a call, 95 %",
            "99 %",
            "× unprobed",
            "counted",
            "missed",
        ],
        rows,
    );
}
