// SPDX-License-Identifier: GPL-2.0

//! The paper's experiment: what a probe adds to a call, seen from the calling program.

use crate::control::Probe;
use crate::progress::Bar;
use crate::workload::{Calls, Workload};
use anyhow::{bail, ensure, Context, Result};
use serde::{Deserialize, Serialize};
use statrs::statistics::Statistics;
use xcap_stats::student::quantile;

/// What the paper has: µs a call, half width of the 95 % interval.
pub const PAPER_UNPROBED: (f64, f64) = (0.47102, 0.00009);
pub const PAPER_PROBED: (f64, f64) = (2.37719, 0.00209);
/// Half width of the 99 % interval that the paper gives of the probed call.
pub const PAPER_PROBED_99: f64 = (2.37994 - 2.37444) / 2.0;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub workload: Workload,
    pub runs: u32,
    pub calls: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Experiment {
    pub kernel: String,
    /// What is called; `umask()` where it isn't said.
    #[serde(default, skip_serializing_if = "Workload::is_umask")]
    pub workload: Workload,
    pub calls: u32,
    pub series: Vec<Series>,
}

/// All runs with one probe, or with none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    /// A backend, or `none`.
    pub probe: String,
    /// µs a call, a value for each run.
    pub runs: Vec<f64>,
    pub mean: f64,
    pub stddev: f64,
    /// Half widths of the mean's intervals.
    pub ci95: f64,
    pub ci99: f64,
    /// What the probe itself saw; none without one.
    pub probe_saw: Option<ProbeReport>,
}

/// What a probe says of the calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProbeReport {
    pub count: u64,
    pub missed: u64,
    /// Cycles within the function.
    pub mean: Option<f64>,
    pub corrected: Option<f64>,
}

impl Series {
    fn of(probe: &str, runs: Vec<f64>, probe_saw: Option<ProbeReport>) -> Self {
        let count = runs.len() as f64;
        let stddev = (&runs).std_dev();
        let half = |level| quantile(level, count - 1.0) * stddev / count.sqrt();
        Self {
            probe: probe.to_owned(),
            mean: (&runs).mean(),
            stddev,
            ci95: half(95.0),
            ci99: half(99.0),
            runs,
            probe_saw,
        }
    }
}

/// Runs the experiment here: without a probe, then with each of these backends.
pub fn run(plan: Plan, backends: &[String]) -> Result<Experiment> {
    if plan.runs < 2 || plan.calls == 0 {
        bail!("an interval takes two runs of one call, at least");
    }
    let Plan { workload, .. } = plan;
    let calls = Calls::prepare(workload)?;
    let mut series = vec![Series::of("none", runs(plan, &calls, "no probe")?, None)];
    for backend in backends {
        let function = workload.function();
        let probe = Probe::add(function, workload.word(), backend)?;
        let times = runs(plan, &calls, backend)?;
        let stage = probe.read()?;
        ensure!(
            stage.count > 0,
            "{function} was never called: {} goes another way in this kernel",
            workload.title()
        );
        let saw = ProbeReport {
            count: stage.count,
            missed: stage.missed,
            mean: stage.mean,
            corrected: stage.corrected.and_then(|c| c.mean),
        };
        series.push(Series::of(backend, times, Some(saw)));
    }
    let kernel = nix::sys::utsname::uname()?
        .release()
        .to_string_lossy()
        .into_owned();
    Ok(Experiment {
        kernel,
        workload,
        calls: plan.calls,
        series,
    })
}

fn runs(plan: Plan, calls: &Calls, what: &str) -> Result<Vec<f64>> {
    // The first calls fill caches; the paper's figures have none of that either.
    calls.timed(plan.calls.min(10_000))?;
    let bar = Bar::new(what, u64::from(plan.runs));
    let runs = (0..plan.runs)
        .map(|_| {
            let us = calls.timed(plan.calls)?.as_secs_f64() * 1e6 / f64::from(plan.calls);
            bar.step();
            Ok(us)
        })
        .collect::<Result<_>>()
        .with_context(|| format!("{}, {what}", plan.workload.title()));
    bar.done();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        // By hand: mean 3, s² = 2.5, t(4) = 2.776445 and 4.604095.
        let series = Series::of("none", vec![1.0, 2.0, 3.0, 4.0, 5.0], None);
        let error = (2.5f64 / 5.0).sqrt();
        assert!((series.mean - 3.0).abs() < 1e-12);
        assert!((series.ci95 - 2.776445 * error).abs() < 1e-5);
        assert!((series.ci99 - 4.604095 * error).abs() < 1e-5);
    }

    #[test]
    fn one_run_has_no_interval() {
        let plan = Plan {
            workload: Workload::Umask,
            runs: 1,
            calls: 10,
        };
        assert!(run(plan, &[]).is_err());
    }

    #[test]
    fn an_unprobed_experiment_keeps_each_run() {
        for workload in [Workload::Umask, Workload::Datagram] {
            let plan = Plan {
                workload,
                runs: 3,
                calls: 101,
            };
            let experiment = run(plan, &[]).unwrap();
            assert_eq!(experiment.series.len(), 1);
            assert_eq!(experiment.series[0].runs.len(), 3);
            assert!(experiment.series[0].runs.iter().all(|&us| us > 0.0));
            let json = serde_json::to_value(&experiment).unwrap();
            assert_eq!(json.get("workload").is_some(), workload != Workload::Umask);
            let read: Experiment = serde_json::from_value(json).unwrap();
            assert_eq!(read.workload, workload);
        }
    }
}
