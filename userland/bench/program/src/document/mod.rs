// SPDX-License-Identifier: GPL-2.0

//! docs/benchmarks.md.

mod experiment;
mod marks;
mod probes;
mod returns;
mod scale;
mod text;

use crate::bench::Benchmark;
use crate::exact::TOLERANCE;
use std::fmt::Write;
use text::{number, table};

pub fn markdown(benchmark: &Benchmark) -> String {
    let mut out = String::new();
    introduction(&mut out, benchmark);
    probes::write(&mut out, &benchmark.rows);
    if !benchmark.marks.is_empty() {
        marks::write(&mut out, &benchmark.rows, &benchmark.marks);
    }
    truth(&mut out, benchmark);
    scale::write(&mut out, benchmark);
    if !benchmark.returns.is_empty() {
        returns::write(&mut out, &benchmark.returns);
    }
    if let Some(experiment) = &benchmark.umask {
        experiment::write(&mut out, experiment);
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
         Made by `make bench`; edit userland/bench/program/src/document, not this.\n\n\
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
