//! The direct backend, whose text calls return through: it goes when they have, and never before.

use crate::asleep::{Sleeper, BACKENDS};
use crate::world::{reload, report, stage, until, On, World, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use std::time::Instant;
use xcap_lab::scenario::{control, CONTROL};
use xcap_lab::{Guest, Lab, Where};

const PROBES: &str = "/sys/kernel/debug/xcap/probes";

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = vec![
        world.trial(
            "a_direct_probe_waits_for_the_calls_in_it",
            On::Bare,
            drained,
        ),
        world.trial("a_taken_function_is_left_to_its_owner", On::Bare, |lab| {
            taken(lab.guest(Where::Bare))
        }),
        world.trial("our_function_is_not_taken_from_us", On::Bare, |lab| {
            taking(lab.guest(Where::Bare))
        }),
    ];
    for backend in BACKENDS {
        let name = format!("xcap_comes_and_goes_under_a_storm_of_calls_{backend}");
        trials.push(world.trial(name, On::Bare, move |lab| {
            come_and_go(lab.guest(Where::Bare), backend)
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
    let guest = lab.guest(Where::Bare);
    reload(guest)?;
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
    guest.sh("rmmod xcap")?;
    reload(guest)
}

const RIVAL: &str = "/lab/targets/xcap_rival.ko";
const FUNCTION: &str = "xcap_target_100";

fn set_up(guest: &Guest) -> Result<()> {
    reload(guest)?;
    guest.sh("grep -q ^xcap_targets /proc/modules || insmod /lab/targets/xcap_targets.ko")?;
    Ok(())
}

fn call(guest: &Guest, count: u32) -> Result<()> {
    let call = format!("echo {FUNCTION} {count} >/sys/kernel/debug/xcap_targets/call");
    guest.sh(&call).map(drop)
}

fn rivals_hits(guest: &Guest) -> Result<u32> {
    let hits = guest.sh("cat /sys/module/xcap_rival/parameters/hits")?;
    Ok(hits.trim().parse()?)
}

/// Another direct user has the function: direct is refused, auto takes the next best, both count.
fn taken(guest: &Guest) -> Result<()> {
    set_up(guest)?;
    guest.sh(&format!("insmod {RIVAL} function={FUNCTION}"))?;
    let insisted = guest.run(&[
        "sh",
        "-c",
        &format!("echo add {FUNCTION} as wanted backend=direct >{CONTROL}"),
    ])?;
    ensure!(
        insisted.error_text().contains("busy"),
        "a taken function was hooked directly: {}",
        insisted.error_text()
    );
    // A stage of the table that another has.
    guest.sh(&format!(
        "rmmod xcap_rival; rmmod xcap; insmod {RIVAL} function=packet_rcv; insmod /lab/xcap.ko"
    ))?;
    let report_now = report(guest)?;
    let deliver = stage(&report_now, "deliver")?;
    let got = (
        deliver.backend.as_deref(),
        deliver.state.as_str(),
        deliver.reason.as_deref(),
    );
    ensure!(
        got == (Some("fprobe"), "armed", Some("direct_taken")),
        "a stage whose function another has is {got:?}"
    );
    guest.sh(&format!(
        "rmmod xcap_rival; insmod {RIVAL} function={FUNCTION}"
    ))?;
    control(guest, &format!("add {FUNCTION} as shared"))?;
    call(guest, 23)?;
    let calls = stage(&report(guest)?, "shared")?.count;
    let hits = rivals_hits(guest)?;
    ensure!(
        (calls, hits) == (23, 23),
        "of 23 calls we saw {calls}, the other {hits}"
    );
    guest.sh("rmmod xcap_rival")?;
    control(guest, "stop")?;
    control(guest, "start")?;
    call(guest, 23)?;
    let calls = stage(&report(guest)?, "shared")?.count;
    ensure!(calls == 46, "{calls} of 46 calls when the other is gone");
    Ok(())
}

/// We have the function: another is refused and disturbs nothing.
fn taking(guest: &Guest) -> Result<()> {
    set_up(guest)?;
    control(guest, &format!("add {FUNCTION} as ours backend=direct"))?;
    let load = format!("insmod {RIVAL} function={FUNCTION}");
    let refused = guest.run(&["sh", "-c", &load])?;
    ensure!(
        refused.error_text().contains("busy"),
        "another took our function: {}",
        refused.error_text()
    );
    call(guest, 23)?;
    let calls = stage(&report(guest)?, "ours")?.count;
    ensure!(calls == 23, "{calls} of 23 calls");
    // Stopped, the function is free; taken meanwhile, start finds it so.
    control(guest, "stop")?;
    guest.sh(&load)?;
    control(guest, "start")?;
    let now = report(guest)?;
    let ours = stage(&now, "ours")?;
    let got = (ours.state.as_str(), ours.reason.as_deref());
    ensure!(
        got == ("failed", Some("direct_taken")),
        "a probe whose function was taken is {got:?}"
    );
    guest.sh("rmmod xcap_rival")?;
    control(guest, "stop")?;
    control(guest, "start")?;
    call(guest, 23)?;
    let calls = stage(&report(guest)?, "ours")?.count;
    ensure!(
        calls == 46,
        "{calls} of 46 calls when the function is ours again"
    );
    control(guest, "del ours")?;
    guest.sh("rmmod xcap")?;
    reload(guest)
}

fn come_and_go(guest: &Guest, backend: &str) -> Result<()> {
    reload(guest)?;
    guest.sh("rmmod xcap")?;
    // One CPU is left for who watches.
    let storm = guest.spawn(&["taskset", "2", "sh", "-c", "while :; do umask 022; done"])?;
    for _ in 0..2 {
        guest.sh("insmod /lab/xcap.ko")?;
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
    storm.wait(PATIENCE)?;
    reload(guest)
}
