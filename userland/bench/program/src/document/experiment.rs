// SPDX-License-Identifier: GPL-2.0

//! The paper's experiment.

use super::text::{table, UNKNOWN};
use crate::umask::{Experiment, Series, PAPER_PROBED, PAPER_PROBED_99, PAPER_UNPROBED};
use std::fmt::Write;

const HEADER: [&str; 6] = [
    "probe",
    "µs a call, 95 %",
    "99 %",
    "× unprobed",
    "counted",
    "missed",
];

pub fn write(out: &mut String, experiment: &Experiment) {
    let runs = experiment
        .series
        .first()
        .map_or(0, |series| series.runs.len());
    let _ = write!(
        out,
        "## The paper's experiment\n\n\
         {runs} runs of {} calls of `umask()`, each a fresh process, in random order (seed {}), timed by the\n\
         calling program: µs a call with the interval's half width. Ours under emulation by the host's clock, on a machine that may have had other work;\n\
         the paper's on its hardware of 2006, so that the ratios are what compares. On a machine of your own:\n\
         `xcap-bench umask`, and `xcap-bench umask --deep` for a function under 23 callers, where `direct`\n\
         is expected to add no more than here and `kretprobe` a mispredicted return for each caller. Neither\n\
         could be run on hardware here.\n\n",
        experiment.calls, experiment.seed,
    );
    let first = experiment.series.first();
    let unprobed = first.map_or(f64::NAN, |series| series.mean);
    let rows = experiment.series.iter();
    let rows = rows.map(|series| cells(series, unprobed));
    table(out, &HEADER, rows.chain(of_the_paper()));
}

fn cells(series: &Series, unprobed: f64) -> Vec<String> {
    let report = series.probe_saw.as_ref();
    let count = |count: Option<u64>| count.map_or(UNKNOWN.to_owned(), |count| count.to_string());
    vec![
        match report {
            Some(_) => format!("xcap {}", series.probe),
            None => series.probe.clone(),
        },
        format!("{:.5} ± {:.5}", series.mean, series.ci95),
        format!("± {:.5}", series.ci99),
        format!("{:.2}", series.mean / unprobed),
        count(report.map(|report| report.count)),
        count(report.map(|report| report.missed)),
    ]
}

fn of_the_paper() -> [Vec<String>; 2] {
    let ((mean, ci95), (probed, probed_ci95)) = (PAPER_UNPROBED, PAPER_PROBED);
    let row = |probe: &str, mean: String, ci99: String, times: String| {
        let unknown = || UNKNOWN.to_owned();
        vec![probe.to_owned(), mean, ci99, times, unknown(), unknown()]
    };
    [
        row(
            "paper: none",
            format!("{mean:.5} ± {ci95:.5}"),
            UNKNOWN.to_owned(),
            "1.00".to_owned(),
        ),
        row(
            "paper: SystemTap",
            format!("{probed:.5} ± {probed_ci95:.5}"),
            format!("± {PAPER_PROBED_99:.5}"),
            format!("{:.2}", probed / mean),
        ),
    ]
}
