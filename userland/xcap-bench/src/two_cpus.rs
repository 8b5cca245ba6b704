//! Two CPUs at one probe: whether they hinder each other.

use crate::control::{Probe, BACKENDS};
use crate::job::XCAP;
use crate::tool::{insmod, rmmod};
use crate::work::{timed, UMASK};
use anyhow::Result;
use nix::sched::{sched_setaffinity, CpuSet};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::sync::Barrier;
use std::time::Duration;

/// The best of so many: other work on the host only slows down.
const ROUNDS: usize = 7;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    pub probe: String,
    /// ns of a call, one CPU calling.
    pub one: f64,
    /// The same, both calling.
    pub two: f64,
    pub calls: u64,
    /// Calls that the probe counted.
    pub count: Option<u64>,
}

pub fn measure(calls: u32) -> Result<Vec<Shared>> {
    let mut all = vec![row("none", calls, None)?];
    insmod(XCAP, &[])?;
    for backend in BACKENDS {
        let probe = Probe::add(UMASK, "shared", backend)?;
        all.push(row(backend, calls, Some(&probe))?);
    }
    rmmod("xcap")?;
    Ok(all)
}

fn row(name: &str, calls: u32, probe: Option<&Probe>) -> Result<Shared> {
    let best = |cpus: usize| -> Result<Duration> {
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            best = best.min(on_cpus(cpus, calls)?);
        }
        Ok(best)
    };
    let ns = |time: Duration| time.as_nanos() as f64 / f64::from(calls);
    let (one, two) = (ns(best(1)?), ns(best(2)?));
    let count = probe
        .map(|probe| Ok::<u64, anyhow::Error>(probe.read()?.count))
        .transpose()?;
    Ok(Shared {
        probe: name.to_owned(),
        one,
        two,
        calls: u64::from(calls) * ROUNDS as u64 * 3,
        count,
    })
}

/// The slowest CPU's time for so many calls on each of `cpus`.
fn on_cpus(cpus: usize, calls: u32) -> Result<Duration> {
    let barrier = Barrier::new(cpus);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cpus)
            .map(|cpu| {
                let barrier = &barrier;
                scope.spawn(move || -> Result<Duration> {
                    let mut set = CpuSet::new();
                    set.set(cpu)?;
                    let pinned = sched_setaffinity(Pid::from_raw(0), &set);
                    barrier.wait();
                    pinned?;
                    Ok(timed(calls))
                })
            })
            .collect();
        let times = threads
            .into_iter()
            .map(|t| t.join().expect("timing doesn't panic"));
        times
            .into_iter()
            .try_fold(Duration::ZERO, |slowest, time| Ok(slowest.max(time?)))
    })
}
