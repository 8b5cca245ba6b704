// SPDX-License-Identifier: GPL-2.0

//! Where the kernel counts how deep calls are, as it does against Retbleed on Skylake, a direct probe's are counted, too.

use crate::labs::{targets, World};
use crate::world::{control, load_targets};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use xcap_machines::{Config, Guest, Lab, Place};

/// A prime. Each call that is counted wrongly shifts the next one's depth.
const CALLS: usize = 5;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![world.own_trial("calls_are_as_deep_with_direct_probes", || {
        let materials = world.materials()?;
        let config = Config {
            cpu: Some("Skylake-Client".to_owned()),
            cpus: 1,
            append: "spectre_v2=retpoline retbleed=stuff".to_owned(),
            copies: vec![targets(materials)?],
            ..Config::of([Place::Bare])
        };
        let mut lab = Lab::boot(materials, &config)?;
        as_deep(lab.guest(Place::Bare))
            .and_then(|()| lab.logs().check())
            .map_err(|e| lab.explain(e))
    })]
}

fn as_deep(guest: &Guest) -> Result<()> {
    let retbleed = guest.sh("cat /sys/devices/system/cpu/vulnerabilities/retbleed")?;
    ensure!(
        retbleed.contains("Stuffing"),
        "calls are not counted: {retbleed}"
    );
    load_targets(guest)?;
    let depth = address(guest, "__x86_call_depth")?;
    let offsets = address(guest, "__per_cpu_offset")?;
    // An offset is signed.
    let event = format!(
        "p:deep xcap_target_10 depth=-{}(@{offsets:#x}):x64",
        depth.wrapping_neg()
    );
    guest.sh(&format!(
        "cd /sys/kernel/tracing && echo '{event}' >kprobe_events && echo 1 >events/kprobes/deep/enable"
    ))?;
    let unprobed = depths(guest)?;
    control(guest, "'add xcap_target_10 backend=direct'")?;
    let probed = depths(guest)?;
    ensure!(
        unprobed == probed,
        "unprobed calls are as deep as {unprobed:x?}, probed ones as {probed:x?}"
    );
    Ok(())
}

fn address(guest: &Guest, symbol: &str) -> Result<u64> {
    let line = guest.sh(&format!("grep -w {symbol} /proc/kallsyms"))?;
    let word = line.split_whitespace().next();
    let word = word.with_context(|| format!("the kernel has no {symbol}"))?;
    Ok(u64::from_str_radix(word, 16)?)
}

/// How deep each of some calls one after another was.
fn depths(guest: &Guest) -> Result<BTreeSet<String>> {
    let trace = guest.sh(&format!(
        "cd /sys/kernel/tracing && echo >trace && echo xcap_target_10 {CALLS} >/sys/kernel/debug/xcap_targets/call && cat trace"
    ))?;
    let depths: Vec<String> = trace
        .lines()
        .filter_map(|line| Some(line.split_once("depth=")?.1.to_owned()))
        .collect();
    ensure!(
        depths.len() == CALLS,
        "{CALLS} calls were traced as {trace}"
    );
    Ok(depths.into_iter().collect())
}
