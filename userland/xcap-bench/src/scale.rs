//! How xcap's costs grow with the number of probes.

use crate::control::{control, report, BACKENDS};
use crate::job::XCAP;
use crate::tool::{insmod, rmmod};
use crate::work::{Loop, UMASK};
use anyhow::{bail, Context, Result};
use nix::sys::stat::{umask, Mode};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::time::Instant;

/// Probes that are armed when a hit's cost is measured.
pub const STEPS: [usize; 4] = [1, 8, 64, 512];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scale {
    pub backend: String,
    /// Instructions of a call of `umask()`, with as many probes as [`STEPS`] says.
    pub instructions: Vec<f64>,
    pub unprobed: f64,
    /// Of `insmod` alone, and until the first sample could be read.
    pub insmod_ms: f64,
    pub first_sample_ms: f64,
    /// Of all probes of the last step.
    pub arm_ms: f64,
    pub read_ms: f64,
    pub stop_ms: f64,
    pub rmmod_ms: f64,
    /// Per-CPU memory that a probe takes on each CPU.
    pub per_cpu_bytes: f64,
    /// All memory that a probe takes on this machine of one CPU.
    pub bytes: f64,
}

pub fn measure() -> Result<Vec<Scale>> {
    BACKENDS
        .iter()
        .map(|backend| row(backend).with_context(|| format!("backend {backend}")))
        .collect()
}

fn milliseconds<T>(what: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let begin = Instant::now();
    let result = what()?;
    Ok((begin.elapsed().as_secs_f64() * 1000.0, result))
}

fn row(backend: &str) -> Result<Scale> {
    let mut calls = Loop::default();
    let unprobed = calls.settled();
    let begin = Instant::now();
    let (insmod_ms, ()) = milliseconds(|| insmod(XCAP, &[]))?;
    control(&format!("add {UMASK} as umask backend={backend}"))?;
    umask(Mode::from_bits_truncate(0o022));
    let first = report()?.stage("umask").map_or(0, |stage| stage.count);
    let first_sample_ms = begin.elapsed().as_secs_f64() * 1000.0;
    if first == 0 {
        bail!("a call was made and not counted");
    }
    // The stages of the capture path are not what is counted here.
    for stage in report()?
        .stages
        .iter()
        .filter(|stage| stage.stage != "umask")
    {
        control(&format!("del {}", stage.stage))?;
    }
    let mut candidates = quiet_functions()?;
    let mut armed = 1;
    let mut arm_ms = 0.0;
    let mut instructions = Vec::new();
    let before = Memory::now()?;
    for step in STEPS {
        let (spent, ()) = milliseconds(|| {
            while armed < step {
                let function = candidates
                    .pop_front()
                    .context("too few functions to probe")?;
                // Some can't be probed, by this backend or by any.
                if control(&format!("add {function} as p{armed} backend={backend}")).is_ok() {
                    armed += 1;
                }
            }
            Ok(())
        })?;
        arm_ms += spent;
        instructions.push(calls.settled());
    }
    let memory = Memory::now()?;
    let added = (armed - 1) as f64;
    let (read_ms, _) = milliseconds(|| Ok(fs::read(xcap_read::DEFAULT_PATH)?))?;
    let (stop_ms, ()) = milliseconds(|| control("stop"))?;
    let (rmmod_ms, ()) = milliseconds(|| rmmod("xcap"))?;
    Ok(Scale {
        backend: backend.to_owned(),
        instructions,
        unprobed,
        insmod_ms,
        first_sample_ms,
        arm_ms,
        read_ms,
        stop_ms,
        rmmod_ms,
        per_cpu_bytes: (memory.per_cpu - before.per_cpu) * 1024.0 / added,
        bytes: (before.free - memory.free) * 1024.0 / added,
    })
}

/// Functions that nothing calls on a machine whose network is idle.
fn quiet_functions() -> Result<VecDeque<String>> {
    const PREFIXES: [&str; 5] = ["tcp_", "udp_", "xfrm_", "fib_", "inet_"];
    let list = fs::read_to_string("/sys/kernel/tracing/available_filter_functions")?;
    let names = list
        .lines()
        .filter(|line| PREFIXES.iter().any(|prefix| line.starts_with(prefix)));
    // Those of modules have the module's name behind them, variants of the compiler's a dot.
    Ok(names
        .filter(|name| !name.contains([' ', '.']))
        .map(str::to_owned)
        .collect())
}

/// KiB, by /proc/meminfo.
struct Memory {
    free: f64,
    per_cpu: f64,
}

impl Memory {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/meminfo")?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.with_context(|| format!("/proc/meminfo has no {name}"))
        };
        Ok(Self {
            free: field("MemFree:")?,
            per_cpu: field("Percpu:")?,
        })
    }
}
