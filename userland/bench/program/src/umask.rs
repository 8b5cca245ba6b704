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
    /// Decides the order of the runs.
    #[serde(default)]
    pub seed: u64,
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

/// One run: µs a call, of so many.
pub fn one_run(workload: Workload, calls: u32) -> Result<f64> {
    let time = Calls::prepare(workload)?.timed(calls)?;
    Ok(time.as_secs_f64() * 1e6 / f64::from(calls))
}

/// Runs the experiment here, without a probe and with each of these backends.
///
/// As in the paper `one_run` is another start of a program. Runs come in an order that the seed decides, so that
/// what changes meanwhile hits all alike.
pub fn run(
    plan: Plan,
    backends: &[String],
    seed: u64,
    one_run: impl Fn(Workload, u32) -> Result<f64>,
) -> Result<Experiment> {
    if plan.runs < 2 || plan.calls == 0 {
        bail!("an interval takes two runs of one call, at least");
    }
    let Plan {
        workload, calls, ..
    } = plan;
    let mut kinds: Vec<Kind> = vec![Kind::default()];
    kinds.extend(backends.iter().map(|backend| Kind::of(backend)));
    let bar = Bar::new(workload.word(), u64::from(plan.runs) * kinds.len() as u64);
    for at in order(kinds.len(), plan.runs, seed) {
        let kind = &mut kinds[at];
        kind.run(workload, || one_run(workload, calls))
            .with_context(|| format!("{}, {}", workload.title(), kind.name()))?;
        bar.step();
    }
    bar.done();
    let kernel = nix::sys::utsname::uname()?
        .release()
        .to_string_lossy()
        .into_owned();
    Ok(Experiment {
        kernel,
        workload,
        calls,
        seed,
        series: kinds.into_iter().map(Kind::series).collect(),
    })
}

/// Which kind's turn it is, run by run.
fn order(kinds: usize, runs: u32, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..kinds * runs as usize).map(|run| run % kinds).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    order
}

/// Runs with one backend, or without a probe.
#[derive(Default)]
struct Kind {
    backend: Option<String>,
    runs: Vec<f64>,
    saw: Vec<ProbeReport>,
}

impl Kind {
    fn of(backend: &str) -> Self {
        Self {
            backend: Some(backend.to_owned()),
            ..Self::default()
        }
    }

    fn name(&self) -> &str {
        self.backend.as_deref().unwrap_or("none")
    }

    fn run(&mut self, workload: Workload, one_run: impl FnOnce() -> Result<f64>) -> Result<()> {
        let Some(backend) = &self.backend else {
            self.runs.push(one_run()?);
            return Ok(());
        };
        let function = workload.function();
        let probe = Probe::add(function, workload.word(), backend)?;
        self.runs.push(one_run()?);
        let stage = probe.read()?;
        ensure!(
            stage.count > 0,
            "{function} was never called: {} goes another way in this kernel",
            workload.title()
        );
        self.saw.push(ProbeReport {
            count: stage.count,
            missed: stage.missed,
            mean: stage.mean,
            corrected: stage.corrected.and_then(|corrected| corrected.mean),
        });
        Ok(())
    }

    fn series(self) -> Series {
        let saw = (!self.saw.is_empty()).then(|| ProbeReport::of_all(&self.saw));
        Series::of(self.backend.as_deref().unwrap_or("none"), self.runs, saw)
    }
}

impl ProbeReport {
    /// What the probe saw in all runs.
    fn of_all(runs: &[Self]) -> Self {
        let count = runs.iter().map(|run| run.count).sum::<u64>();
        let mean = |of: fn(&Self) -> Option<f64>| {
            let sums = runs.iter().map(|run| Some(of(run)? * run.count as f64));
            Some(sums.sum::<Option<f64>>()? / count as f64)
        };
        Self {
            count,
            missed: runs.iter().map(|run| run.missed).sum(),
            mean: mean(|run| run.mean),
            corrected: mean(|run| run.corrected),
        }
    }
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
        assert!(run(plan, &[], 1, one_run).is_err());
    }

    #[test]
    fn an_unprobed_experiment_keeps_each_run() {
        for workload in [Workload::Umask, Workload::Datagram] {
            let plan = Plan {
                workload,
                runs: 3,
                calls: 101,
            };
            let experiment = run(plan, &[], 1, one_run).unwrap();
            assert_eq!(experiment.series.len(), 1);
            assert_eq!(experiment.series[0].runs.len(), 3);
            assert!(experiment.series[0].runs.iter().all(|&us| us > 0.0));
            let json = serde_json::to_value(&experiment).unwrap();
            assert_eq!(json.get("workload").is_some(), workload != Workload::Umask);
            let read: Experiment = serde_json::from_value(json).unwrap();
            assert_eq!(read.workload, workload);
        }
    }

    #[test]
    fn kinds_take_turns_as_the_seed_says() {
        let turns = order(4, 100, 17);
        for kind in 0..4 {
            assert_eq!(turns.iter().filter(|turn| **turn == kind).count(), 100);
        }
        assert_eq!(turns, order(4, 100, 17));
        assert_ne!(turns, order(4, 100, 18));
        assert!(!turns.is_sorted());
    }

    #[test]
    fn what_a_probe_saw_in_several_runs_is_weighted_by_its_calls() {
        let report = |count, mean| ProbeReport {
            count,
            missed: 1,
            mean: Some(mean),
            corrected: None,
        };
        let all = ProbeReport::of_all(&[report(1, 10.0), report(3, 20.0)]);
        assert_eq!((all.count, all.missed), (4, 2));
        assert_eq!((all.mean, all.corrected), (Some(17.5), None));
    }
}
