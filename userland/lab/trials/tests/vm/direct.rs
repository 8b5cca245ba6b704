// SPDX-License-Identifier: GPL-2.0

//! The direct backend, whose text calls return through: it goes when they have, and never before.

use crate::asleep::{Sleeper, BACKENDS};
use crate::labs::{On, World};
use crate::world::{control, fresh, reload, report, unload, until, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use std::time::Instant;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Lab, Place};

const PROBES: &str = "/sys/kernel/debug/xcap/probes";

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = vec![world.trial(
        "a_direct_probe_waits_for_the_calls_in_it",
        On::Bare,
        drained,
    )];
    for backend in BACKENDS {
        let name = format!("xcap_comes_and_goes_under_a_storm_of_calls_{backend}");
        trials.push(world.trial(name, On::Unplugged, move |lab| {
            come_and_go(lab.guest(Place::Bare), backend)
        }));
    }
    trials
}

fn line(guest: &Guest, probe: &str) -> Result<String> {
    guest.sh(&format!("grep '^{probe} ' {PROBES}"))
}

/// Waits until `probes` says so of a probe.
fn said(guest: &Guest, probe: &str, words: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !line(guest, probe)?.contains(words) {
        ensure!(Instant::now() < deadline, "{probe} is never {words}");
    }
    Ok(())
}

fn drained(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    fresh(guest, Stages::Few)?;
    let sleeper = Sleeper::probed(lab, "held", "direct", 1)?;
    let unloaded = guest.run(&["rmmod", "xcap"])?;
    ensure!(
        !unloaded.success(),
        "xcap was unloaded with a call asleep in its trampoline"
    );

    let stack = guest.sh(&format!("cat /proc/{}/stack", sleeper.pid))?;
    for frame in [
        "packet_recvmsg",
        "__sys_recvfrom",
        "do_syscall_64",
        "entry_SYSCALL_64",
    ] {
        ensure!(
            stack.contains(frame),
            "the sleeper's stack has no {frame}: it doesn't unwind\n{stack}"
        );
    }

    let del = ["sh", "-c", &format!("echo del held >{CONTROL}")];
    let waiting = guest.spawn(&del)?;
    said(guest, "held", "draining in_flight")?;
    // Others are not kept waiting.
    control(guest, "reset")?;
    waiting.signal(nix::libc::SIGTERM)?;
    let interrupted = waiting.wait(PATIENCE)?;
    ensure!(!interrupted.success(), "del was over too early");
    said(guest, "held", "draining in_flight")?;
    let unloaded = guest.run(&["rmmod", "xcap"])?;
    ensure!(
        !unloaded.success(),
        "xcap was unloaded after a del that was interrupted"
    );

    let waiting = guest.spawn(&del)?;
    sleeper.running.signal(nix::libc::SIGTERM)?;
    sleeper.running.wait(PATIENCE)?;
    waiting.wait(PATIENCE)?.ok("del held")?;
    ensure!(
        report(guest)?.stage("held").is_none(),
        "held is still there"
    );
    guest.sh("rmmod xcap").map(drop)
}

fn come_and_go(guest: &Guest, backend: &str) -> Result<()> {
    unload(guest)?;
    // One CPU is left for who watches.
    let storm = guest.spawn(&["taskset", "2", "sh", "-c", "while :; do umask 022; done"])?;
    for _ in 0..2 {
        reload(guest, Stages::Few)?;
        control(
            guest,
            &format!("add __x64_sys_umask as umask backend={backend}"),
        )?;
        until(guest, "calls of umask are counted", |report| {
            report
                .stage("umask")
                .is_some_and(|stage| stage.count > 1000)
        })?;
        if backend == "direct" {
            // It may sleep, for all that xcap knows.
            control(guest, "del umask")?;
        }
        guest.sh("rmmod xcap")?;
    }
    storm.signal(nix::libc::SIGTERM)?;
    storm.wait(PATIENCE).map(drop)
}
