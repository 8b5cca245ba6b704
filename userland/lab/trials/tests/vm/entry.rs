// SPDX-License-Identifier: GPL-2.0

//! How a function's entry reaches the direct backend: by a jump where ftrace can write one, by a call elsewhere and
//! beside a live patch of the function.

use crate::labs::{On, World};
use crate::world::{control, fresh, load_targets, report, stage, until, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use std::time::Instant;
use xcap_machines::{Guest, Place};

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, act: fn(&Guest) -> Result<()>| {
        trials.push(world.trial(name, On::Unplugged, move |lab| act(lab.guest(Place::Bare))));
    };
    add("probes_says_how_a_function_is_entered", said_as_by_ftrace);
    add(
        "a_function_that_we_have_can_be_livepatched",
        patched_under_us,
    );
    add("a_livepatched_function_is_counted", patched_before_us);
    add("a_task_asleep_in_a_direct_probe_unwinds", unwound);
    trials
}

/// Primes: no other number of calls is taken for them.
const CALLS: u64 = 23;
const STORM: u64 = 1_000_003;

/// What the live patch is of.
const FUNCTION: &str = "xcap_target_10";

/// What `probes` says of an armed direct probe on this kernel. Those of Linux 7.2 and 7.3 write jumps.
fn best(guest: &Guest) -> Result<&'static str> {
    let release = guest.sh("uname -r")?;
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("a release of '{release}'");
    };
    Ok(if (major, minor) >= (7, 2) {
        "direct(jump)"
    } else {
        "direct(call)"
    })
}

fn entered(guest: &Guest, probe: &str, way: &str) -> Result<()> {
    let line = guest.sh(&format!("grep '^{probe} ' /sys/kernel/debug/xcap/probes"))?;
    ensure!(
        line.split_whitespace().any(|word| word == way),
        "{probe} is not {way}: {line}"
    );
    Ok(())
}

fn call(guest: &Guest, calls: u64) -> Result<()> {
    guest
        .sh(&format!(
            "echo {FUNCTION} {calls} >/sys/kernel/debug/xcap_targets/call"
        ))
        .map(drop)
}

fn counted(guest: &Guest, calls: u64) -> Result<()> {
    let ours = stage(&report(guest)?, "ours")?.count;
    ensure!(ours == calls, "{ours} of {calls} calls were counted");
    Ok(())
}

fn said_as_by_ftrace(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::These("deliver"))?;
    let way = best(guest)?;
    entered(guest, "deliver", way)?;
    let theirs = guest
        .sh("grep -A 9 '^packet_rcv ' /sys/kernel/tracing/enabled_functions | grep xcap_direct_slots | head -n 1")?;
    ensure!(
        theirs.contains("direct(jmp)") == way.contains("jump"),
        "probes says {way}, ftrace '{theirs}'"
    );
    Ok(())
}

/// The live patch, until [`Patch::end`]. Its calls are counted.
struct Patch<'a>(&'a Guest);

const ENABLED: &str = "/sys/kernel/livepatch/xcap_livepatch/enabled";

impl<'a> Patch<'a> {
    /// In force when this returns: no task runs what it replaces.
    fn of(guest: &'a Guest) -> Result<Self> {
        guest.sh("insmod /lab/targets/xcap_livepatch.ko")?;
        let patch = Self(guest);
        patch.settled()?;
        Ok(patch)
    }

    fn settled(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let transition =
            "cat /sys/kernel/livepatch/xcap_livepatch/transition 2>/dev/null || echo 0";
        while self.0.sh(transition)?.trim() != "0" {
            ensure!(
                Instant::now() < deadline,
                "the live patch waits for a task for ever: {}",
                self.0
                    .sh("grep -l ^[01] /proc/[0-9]*/patch_state | head -n 5")?
            );
        }
        Ok(())
    }

    fn calls(&self) -> Result<u64> {
        let calls = self
            .0
            .sh("cat /sys/module/xcap_livepatch/parameters/calls")?;
        Ok(calls.trim().parse()?)
    }

    fn end(self) -> Result<()> {
        self.0.sh(&format!("echo 0 >{ENABLED}"))?;
        self.settled()?;
        // The folder goes a moment after the transition.
        self.0
            .sh("while ! rmmod xcap_livepatch 2>/dev/null; do :; done")
            .map(drop)
    }
}

fn patched_under_us(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    control(guest, &format!("add {FUNCTION} as ours backend=direct"))?;
    entered(guest, "ours", best(guest)?)?;
    // Calls go on while the entry is changed, and changed back.
    let storm = format!("echo {FUNCTION} {STORM} >/sys/kernel/debug/xcap_targets/call");
    let storm = guest.spawn(&["taskset", "2", "sh", "-c", &storm])?;
    let patch = Patch::of(guest)?;
    entered(guest, "ours", "direct(call)")?;
    storm.wait(PATIENCE)?.ok("the storm")?;
    counted(guest, STORM)?;
    let before = patch.calls()?;
    call(guest, CALLS)?;
    counted(guest, STORM + CALLS)?;
    let patched = patch.calls()? - before;
    ensure!(patched == CALLS, "{patched} of {CALLS} calls were patched");
    patch.end()?;
    call(guest, CALLS)?;
    counted(guest, STORM + 2 * CALLS)?;

    control(guest, "stop")?;
    control(guest, "start")?;
    entered(guest, "ours", best(guest)?)?;
    call(guest, CALLS)?;
    counted(guest, STORM + 3 * CALLS)?;
    control(guest, "del ours")?;
    guest.sh("rmmod xcap").map(drop)
}

fn patched_before_us(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    let patch = Patch::of(guest)?;
    control(guest, &format!("add {FUNCTION} as ours backend=direct"))?;
    entered(guest, "ours", "direct(call)")?;
    call(guest, CALLS)?;
    counted(guest, CALLS)?;
    let patched = patch.calls()?;
    ensure!(patched == CALLS, "{patched} of {CALLS} calls were patched");
    control(guest, "stop")?;
    patch.end()?;
    control(guest, "start")?;
    entered(guest, "ours", best(guest)?)?;
    call(guest, CALLS)?;
    counted(guest, 2 * CALLS)?;
    control(guest, "del ours")
}

/// Both by a dump of its stack and, as a live patch asks whether it may be, reliably.
fn unwound(guest: &Guest) -> Result<()> {
    const FOR_EVER_MS: u32 = 10_000_000;
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    control(guest, "add xcap_target_sleep as ours backend=direct")?;
    let script = format!(
        "echo pid $$; echo xcap_target_sleep 1 {FOR_EVER_MS} >/sys/kernel/debug/xcap_targets/call"
    );
    let mut sleeper = guest.spawn(&["sh", "-c", &script])?;
    let pid = sleeper.wait_for_line("pid ", PATIENCE)?;
    let pid = pid.trim_start_matches("pid ").to_owned();
    until(guest, "a call is in flight", |report| {
        report
            .stage("ours")
            .is_some_and(|stage| stage.in_flight == 1)
    })?;
    let stack = guest.sh(&format!("cat /proc/{pid}/stack"))?;
    let mut below = stack.lines();
    for frame in [
        "msleep_interruptible",
        "xcap_direct_slots",
        "call_write",
        "vfs_write",
        "entry_SYSCALL_64",
    ] {
        ensure!(
            below.any(|line| line.contains(frame)),
            "no {frame} where it belongs in\n{stack}"
        );
    }
    Patch::of(guest)?.end()?;
    let held = stage(&report(guest)?, "ours")?.in_flight;
    ensure!(held == 1, "the sleeper was woken up for the live patch");
    sleeper.signal(nix::libc::SIGTERM)?;
    sleeper.wait(PATIENCE)?;
    control(guest, "del ours")
}
