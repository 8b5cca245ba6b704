// SPDX-License-Identifier: GPL-2.0

//! The control file.

use crate::labs::{On, World};
use crate::world::{capture, control, fresh, load_targets, report, stage, Stages};
use anyhow::{bail, ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::{CONTROL, STATS};
use xcap_machines::{Guest, Place};

/// All refused with EINVAL.
const BAD: [&str; 14] = [
    "''",
    "' '",
    "bogus",
    "'start now'",
    "'stop stop'",
    "START",
    "add",
    "del",
    "'del a b'",
    "backend=",
    "backend=none",
    "'add x as'",
    "'add x limit=1'",
    "'add x* limit=-1'",
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "bad_commands_are_refused_and_change_nothing",
            On::Unplugged,
            |lab| refused(lab.guest(Place::Bare)),
        ),
        world.trial("files_are_for_root_alone", On::Unplugged, |lab| {
            private(lab.guest(Place::Bare))
        }),
        world.trial("stop_start_and_reset_do_what_they_say", On::Bare, |lab| {
            let guest = lab.guest(Place::Bare);
            fresh(guest, Stages::These("deliver"))?;
            let delivered = || -> Result<u64> { Ok(stage(&report(guest)?, "deliver")?.count) };
            capture(lab, 5, 1000)?;
            ensure!(delivered()? == 5, "{} of 5 frames", delivered()?);
            control(guest, "stop")?;
            ensure!(
                report(guest)?.recording == Some(false),
                "stopped, but it says that it records"
            );
            ensure!(delivered()? == 5, "stop changed what was counted");
            control(guest, "reset")?;
            ensure!(delivered()? == 0, "reset left {}", delivered()?);
            control(guest, "start")?;
            ensure!(
                report(guest)?.recording == Some(true),
                "started, but it says that it doesn't record"
            );
            capture(lab, 3, 1000)?;
            ensure!(
                delivered()? == 3,
                "{} of 3 frames after start",
                delivered()?
            );
            Ok(())
        }),
        world.trial(
            "calibrate_reaches_probes_that_stay_hooked",
            On::Unplugged,
            |lab| recalibrated(lab.guest(Place::Bare)),
        ),
    ]
}

/// A nested call costs what the newest calibration says, though its hook is the old one.
fn recalibrated(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    for function in ["xcap_target_100", "xcap_target_nest"] {
        control(guest, &format!("'add {function} backend=direct'"))?;
    }
    let stats =
        || xcap_stats::parse(&guest.sh(&format!("cat {STATS}"))?).map_err(anyhow::Error::from);
    let cost = || -> Result<u64> {
        let stats = stats()?;
        let is_it = |cost: &&xcap_stats::Cost| cost.backend == "direct" && cost.cache == "hot";
        let cost = stats.costs.iter().find(is_it).context("no cost")?;
        Ok((cost.inside + cost.outside + cost.samples / 2) / cost.samples)
    };
    let before = cost()?;
    let mut left = 20;
    while cost()? == before {
        ensure!(left > 0, "each calibration says {before}");
        left -= 1;
        control(guest, "calibrate")?;
    }
    let wanted = u128::from(cost()?);
    let mut told = Vec::new();
    // An interrupt's probes are nested, too: one call at least has none.
    for _ in 0..100 {
        control(guest, "reset")?;
        guest.sh("echo xcap_target_nest 1 >/sys/kernel/debug/xcap_targets/call")?;
        let stats = stats()?;
        let mut stages = stats.stages.iter();
        let outer = stages.find(|stage| stage.stage == "xcap_target_nest");
        let nested = outer.context("no outer call")?.nested_cost;
        if nested == wanted {
            return Ok(());
        }
        told.push(nested);
    }
    bail!("a nested call costs {wanted}, or {before} before, but is taken for {told:?}")
}

fn refused(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    control(guest, "stop")?;
    let state = "cat /sys/kernel/debug/xcap/probes /sys/kernel/debug/xcap/stats";
    let before = guest.sh(state)?;
    let long = format!("'add {}'", "x".repeat(5000));
    for bad in BAD.iter().copied().chain([long.as_str()]) {
        let output = guest.run(&["sh", "-c", &format!("echo {bad} >{CONTROL}")])?;
        let said = output.error_text();
        ensure!(!output.success(), "{bad:.40} was taken");
        let refused =
            said.contains("Invalid argument") || (bad.len() > 4096 && said.contains("rror"));
        ensure!(refused, "{bad:.40} was refused with: {}", said.trim());
    }
    let after = guest.sh(state)?;
    ensure!(before == after, "something changed:\n{before}\n{after}");
    Ok(())
}

fn private(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let modes = guest.sh("cd /sys/kernel/debug/xcap; stat -c '%a %u %n' *")?;
    for line in modes.lines() {
        let mode = line.split(' ').next().unwrap_or_default();
        ensure!(
            mode.ends_with("00") && line.contains(" 0 "),
            "not root's alone: {line}"
        );
    }
    ensure!(
        modes.contains("control") && modes.contains("stats"),
        "files are missing: {modes}"
    );
    Ok(())
}
