// SPDX-License-Identifier: GPL-2.0

//! What has to hold when nothing goes on any more.

use crate::guest::files;
use crate::guest::journal::Journal;
use anyhow::{bail, ensure, Context, Result};
use std::fs;
use std::time::{Duration, Instant};
use xcap_abi::state::State;
use xcap_stats::Stats;

const KMEMLEAK: &str = "/sys/kernel/debug/kmemleak";

/// Calls that don't sleep have returned by then.
const RETURNED: Duration = Duration::from_secs(20);

/// More calls can't be under way here: what is more is a difference below zero.
const MOST_UNDER_WAY: u64 = 1 << 20;

/// Figures add up, xcap goes, and leaves nothing behind. The kernel may have warned where that
/// is looked for in its log.
pub fn check(journal: &Journal, may_have_warned: bool) {
    journal.expect(balanced());
    journal.expect(gone());
    journal.expect(no_leak());
    journal.expect(not_tainted(may_have_warned));
}

/// Every call that was entered is a sample, is missed, or is asleep.
fn balanced() -> Result<()> {
    files::must("stop")?;
    let deadline = Instant::now() + RETURNED;
    loop {
        let stats = files::stats()?.context("stats is gone")?;
        match unbalanced(&stats) {
            None => return Ok(()),
            Some(what) => ensure!(Instant::now() < deadline, "at rest {what}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn unbalanced(stats: &Stats) -> Option<String> {
    stats.stages.iter().find_map(|stage| {
        let name = &stage.stage;
        let function = stage.function.as_deref().unwrap_or_default();
        if !stage.exact {
            Some(format!("{name} is not exact"))
        } else if stage.in_flight > MOST_UNDER_WAY {
            Some(format!("{name} has {} calls in flight", stage.in_flight))
        } else if function.starts_with("xcap_target_") && stage.in_flight > 0 {
            let (entries, count, missed) = (stage.entries, stage.count, stage.missed);
            Some(format!(
                "{name} ({function}): {entries} entries are not {count} counted and {missed} missed"
            ))
        } else {
            None
        }
    })
}

/// xcap is unloaded; what of it has callers asleep is given up before.
pub fn gone() -> Result<()> {
    if files::unload_now("xcap").is_err() {
        let probes = files::read(xcap_abi::paths::PROBES)?.unwrap_or_default();
        for line in probes.lines() {
            let mut fields = line.split(' ');
            if let (Some(name), Some(backend)) = (fields.next(), fields.nth(2)) {
                if backend.starts_with("direct") {
                    // Refused, it is told by what follows.
                    let _ = files::must(&format!("del {name}"));
                }
            }
        }
    }
    files::unload().or_else(|e| bail!("{e:#}; {}", holders()?))
}

/// Who keeps xcap: probes that drain, and what tasks are in.
fn holders() -> Result<String> {
    let stats = files::stats()?.context("stats is gone")?;
    let mut told = String::new();
    for stage in stats
        .stages
        .iter()
        .filter(|stage| stage.state == State::Draining.word())
    {
        let function = stage.function.as_deref().unwrap_or_default();
        told += &format!(
            "{} ({function}) drains, {} in flight; ",
            stage.stage, stage.in_flight
        );
    }
    for process in fs::read_dir("/proc")? {
        for task in fs::read_dir(process?.path().join("task"))
            .into_iter()
            .flatten()
        {
            let task = task?.path();
            // It may end meanwhile.
            let read = |file| fs::read_to_string(task.join(file)).unwrap_or_default();
            let functions: Vec<_> = read("stack").lines().map(function).collect();
            if !functions.is_empty() {
                told += &format!("{} in {}; ", read("comm").trim(), functions.join(" < "));
            }
        }
    }
    Ok(told)
}

/// The function of a line of /proc/PID/stack: `[<0>] name+0x1/0x2`.
fn function(line: &str) -> String {
    let name = line.trim_start_matches("[<0>] ");
    name.split('+').next().unwrap_or(name).to_owned()
}

/// kmemleak, where the kernel has it, names nothing of ours.
fn no_leak() -> Result<()> {
    if !fs::exists(KMEMLEAK)? {
        return Ok(());
    }
    // What is young is not reported: it may be in a register.
    for _ in 0..2 {
        std::thread::sleep(Duration::from_secs(6));
        fs::write(KMEMLEAK, "scan").context("kmemleak doesn't scan")?;
    }
    let found = fs::read_to_string(KMEMLEAK)?;
    let ours: Vec<&str> = found
        .split("unreferenced object")
        .filter(|object| object.contains("[xcap]"))
        .collect();
    if let Some(first) = ours.first() {
        bail!("{} objects are lost, as this one: {first}", ours.len());
    }
    Ok(())
}

fn not_tainted(may_have_warned: bool) -> Result<()> {
    let tainted = fs::read_to_string("/proc/sys/kernel/tainted")?;
    let tainted: u32 = tainted.trim().parse()?;
    let (warned, died) = (1 << 9, 1 << 7);
    let wrong = if may_have_warned { died } else { warned | died };
    ensure!(
        tainted & wrong == 0,
        "the kernel has warned: it is tainted ({tainted})"
    );
    Ok(())
}
