// SPDX-License-Identifier: GPL-2.0

//! How xcap's costs grow with the number of probes.

use crate::control::{control, report};
use crate::guest_files::XCAP;
use crate::kernel_module;
use crate::work::{Loop, UMASK};
use anyhow::{bail, Context, Result};
use nix::sys::stat::{umask, Mode};
use procfs::{Current, Meminfo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Of all, one by one.
    #[serde(default)]
    pub del_ms: f64,
    pub rmmod_ms: f64,
    /// Per-CPU memory that a probe takes on each CPU.
    pub per_cpu_bytes: f64,
    /// All memory that a probe takes on this machine of one CPU.
    pub bytes: f64,
}

pub fn measure(backends: &[String]) -> Result<Vec<Scale>> {
    backends
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
    let (insmod_ms, ()) = milliseconds(|| kernel_module::load(XCAP, &[]))?;
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
    let mut groups = quiet_functions()?;
    let mut arm_ms = 0.0;
    let mut instructions = Vec::new();
    let before = Memory::now()?;
    for step in STEPS {
        arm_ms += milliseconds(|| arm_until(step, &mut groups, backend))?.0;
        instructions.push(calls.settled());
    }
    let memory = Memory::now()?;
    let added = (STEPS[STEPS.len() - 1] - 1) as f64;
    let (read_ms, _) = milliseconds(|| Ok(fs::read(xcap_abi::paths::STATS)?))?;
    let (stop_ms, ()) = milliseconds(|| control("stop"))?;
    // Direct calls that may sleep hold the module until they are deleted.
    let (del_ms, ()) = milliseconds(|| {
        for stage in report()?.stages {
            control(&format!("del {}", stage.stage))?;
        }
        Ok(())
    })?;
    let (rmmod_ms, ()) = milliseconds(|| kernel_module::unload("xcap"))?;
    Ok(Scale {
        backend: backend.to_owned(),
        instructions,
        unprobed,
        insmod_ms,
        first_sample_ms,
        arm_ms,
        read_ms,
        stop_ms,
        del_ms,
        rmmod_ms,
        per_cpu_bytes: (memory.per_cpu - before.per_cpu) / added,
        bytes: (before.free - memory.free) / added,
    })
}

/// Prefix → how many functions begin with it.
type Groups = BTreeMap<String, usize>;

/// Functions that nothing calls on a machine whose network is idle, by the first letters of their names.
fn quiet_functions() -> Result<Groups> {
    const PREFIXES: [&str; 6] = ["tcp_", "udp_", "xfrm_", "fib_", "inet_", "ip6_"];
    const LETTERS: usize = 7;
    let list = fs::read_to_string("/proc/kallsyms")?;
    let mut groups = Groups::new();
    for line in list.lines() {
        // Those of modules have the module's name behind them.
        if let [_, "t" | "T", name] = line.split_whitespace().collect::<Vec<_>>()[..] {
            if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && name.len() > LETTERS {
                *groups.entry(name[..LETTERS].to_owned()).or_default() += 1;
            }
        }
    }
    Ok(groups)
}

/// Adds probes by patterns, which is quicker than one by one, until `wanted` are armed.
fn arm_until(wanted: usize, groups: &mut Groups, backend: &str) -> Result<()> {
    loop {
        let armed = report()?
            .stages
            .iter()
            .filter(|stage| stage.state == "armed")
            .count();
        if armed == wanted {
            return Ok(());
        }
        let fitting = groups.iter().filter(|(_, &size)| armed + size <= wanted);
        let largest = fitting
            .max_by_key(|(_, &size)| size)
            .map(|(prefix, _)| prefix.clone());
        let prefix = largest.context("too few functions to probe")?;
        groups.remove(&prefix);
        // None of the group may be what a probe can be on.
        if let Err(e) = control(&format!("add {prefix}* limit=512 backend={backend}")) {
            eprintln!("xcap-bench: {e:#}");
        }
    }
}

/// Bytes, by /proc/meminfo.
struct Memory {
    free: f64,
    per_cpu: f64,
}

impl Memory {
    fn now() -> Result<Self> {
        let memory = Meminfo::current().context("cannot read /proc/meminfo")?;
        let per_cpu = memory.per_cpu.context("/proc/meminfo has no Percpu")?;
        Ok(Self {
            free: memory.mem_free as f64,
            per_cpu: per_cpu as f64,
        })
    }
}
