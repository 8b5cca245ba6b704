// SPDX-License-Identifier: GPL-2.0

//! Calls that sleep: what becomes of them when they wake up elsewhere, or after something changed.

use crate::labs::{On, World};
use crate::world::{control, fresh, stage, until, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Lab, Place, Running};
use xcap_stats::report::StageReport;

/// The backends by name, each of which a sleeping function may be asked to have.
pub const BACKENDS: [&str; 3] = ["kretprobe", "fprobe", "direct"];

const NAME: &str = "asleep";

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.push(world.trial(
        "a_backend_is_changed_under_a_sleeper",
        On::Bare,
        changed_backend,
    ));
    trials.push(world.trial("calls_sleep_over_many_starts", On::Bare, over_many_starts));
    for backend in BACKENDS {
        let mut add = |property: &str, act: fn(&Lab, &str) -> Result<()>| {
            let name = format!("{property}_{backend}");
            trials.push(world.trial(name, On::Bare, move |lab| act(lab, backend)));
        };
        add("a_call_that_slept_and_moved_has_no_self_time", moved);
        add("a_call_over_a_reset_is_left_out", over_a_reset);
        add(
            "a_call_over_stop_and_start_is_left_out",
            over_stop_and_start,
        );
    }
    trials
}

/// A capturer whose calls of recvfrom() sleep until [`wake`].
pub struct Sleeper {
    pub running: Running,
    pub pid: String,
}

impl Sleeper {
    /// On CPU 0; ends after `frames`. Probed as `name` with `backend`, and asleep when this returns.
    pub fn probed(lab: &Lab, name: &str, backend: &str, frames: u32) -> Result<Self> {
        let guest = lab.guest(lab.capturing_place());
        control(guest, "del recvmsg")?;
        control(
            guest,
            &format!("add packet_recvmsg as {name} backend={backend}"),
        )?;
        let script =
            format!("echo pid $$; exec taskset 1 xcap-recv -i eth0 --count {frames} --json");
        let mut running = guest.spawn(&["sh", "-c", &script])?;
        let pid = running.wait_for_line("pid ", PATIENCE)?;
        let pid = pid.trim_start_matches("pid ").to_owned();
        until(guest, "a call is in flight", |report| {
            report.stage(name).is_some_and(|stage| stage.in_flight == 1)
        })?;
        Ok(Self { running, pid })
    }

    pub fn end(self) -> Result<()> {
        self.running.wait(PATIENCE)?.ok("xcap-recv").map(drop)
    }
}

/// Sends a frame.
pub fn wake(lab: &Lab) -> Result<()> {
    let send = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        lab.destination(),
        "--count",
        "1",
    ];
    lab.guest(Place::Sender)
        .run(&send)?
        .ok("xcap-send")
        .map(drop)
}

/// Waits until the sleeper's call number `entries` is under way.
fn asleep_again(guest: &Guest, entries: u64) -> Result<()> {
    until(guest, "the next call is in flight", |report| {
        report
            .stage(NAME)
            .is_some_and(|stage| (stage.entries, stage.in_flight) == (entries, 1))
    })
    .map(drop)
}

/// The probe's figures, after stop, and xcap as it is without it.
fn finish(guest: &Guest) -> Result<StageReport> {
    control(guest, "stop")?;
    let report = crate::world::report(guest)?;
    let figures = stage(&report, NAME)?.clone();
    control(guest, &format!("del {NAME}"))?;
    ensure!(figures.exact, "not exact after stop");
    Ok(figures)
}

fn moved(lab: &Lab, backend: &str) -> Result<()> {
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    let sleeper = Sleeper::probed(lab, NAME, backend, 2)?;
    wake(lab)?;
    asleep_again(guest, 2)?;
    guest.sh(&format!("taskset -p 2 {}", sleeper.pid))?;
    wake(lab)?;
    sleeper.end()?;
    let calls = finish(guest)?;
    let got = (
        calls.count,
        calls.switched,
        calls.migrated,
        calls.self_time.count,
    );
    ensure!(
        got == (2, 1, 1, 0),
        "a call that slept and one that moved gave (count, switched, migrated, self times) {got:?}"
    );
    Ok(())
}

/// `backend=` waits for the calls that will return to direct hooks; nobody waits with it.
fn changed_backend(lab: &Lab) -> Result<()> {
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    control(guest, "backend=direct")?;
    let sleeper = guest.spawn(&["xcap-recv", "-i", "eth0", "--count", "1", "--json"])?;
    until(guest, "a call is in flight", |report| {
        report
            .stage("recvmsg")
            .is_some_and(|stage| stage.in_flight == 1)
    })?;

    let change = |backend| {
        let command = format!("echo backend={backend} >{CONTROL}");
        guest.spawn(&["sh", "-c", &command])
    };
    let waiting = change("fprobe")?;
    let others_go_on = |backend| {
        until(guest, "only recvmsg is held up", |report| {
            let state = |name| {
                let stage = report.stage(name)?;
                Some((stage.backend.as_deref()?, stage.state.as_str()))
            };
            state("recvmsg") == Some(("direct", "draining"))
                && state("copy_user") == Some((backend, "armed"))
        })
        .map(drop)
    };
    others_go_on("fprobe")?;
    waiting.signal(nix::libc::SIGTERM)?;
    let interrupted = waiting.wait(PATIENCE)?;
    ensure!(!interrupted.success(), "backend= was over too early");
    let unloaded = guest.run(&["rmmod", "xcap"])?;
    ensure!(
        !unloaded.success(),
        "xcap was unloaded with a call asleep in its trampoline"
    );

    let waiting = change("kretprobe")?;
    others_go_on("kretprobe")?;
    wake(lab)?;
    sleeper.wait(PATIENCE)?.ok("xcap-recv")?;
    waiting.wait(PATIENCE)?.ok("backend=kretprobe")?;
    let report = crate::world::report(guest)?;
    let recvmsg = stage(&report, "recvmsg")?;
    let got = (recvmsg.backend.as_deref(), recvmsg.state.as_str());
    ensure!(
        got == (Some("kretprobe"), "armed"),
        "when its sleeper is gone, recvmsg is {got:?}"
    );
    guest.sh("rmmod xcap").map(drop)
}

fn over_a_reset(lab: &Lab, backend: &str) -> Result<()> {
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    let sleeper = Sleeper::probed(lab, NAME, backend, 2)?;
    control(guest, "reset")?;
    asleep_again(guest, 1)?;
    wake(lab)?;
    asleep_again(guest, 2)?;
    wake(lab)?;
    sleeper.end()?;
    let calls = finish(guest)?;
    let got = (
        calls.entries,
        calls.count,
        calls.missed_straddled,
        calls.missed,
    );
    ensure!(
        got == (2, 1, 1, 1),
        "a call over a reset and one after it gave (entries, count, straddled, missed) {got:?}"
    );
    Ok(())
}

fn over_stop_and_start(lab: &Lab, backend: &str) -> Result<()> {
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    let sleeper = Sleeper::probed(lab, NAME, backend, 3)?;
    control(guest, "stop")?;
    control(guest, "start")?;
    wake(lab)?;
    until(guest, "the call after start is in flight", |report| {
        report.stage(NAME).is_some_and(|stage| {
            (stage.entries, stage.missed_straddled, stage.in_flight) == (2, 1, 1)
        })
    })?;
    wake(lab)?;
    asleep_again(guest, 3)?;
    // A call that begins when nothing records and ends when something does.
    control(guest, "stop")?;
    wake(lab)?;
    sleeper.end()?;
    control(guest, "start")?;
    let calls = finish(guest)?;
    let got = (
        calls.entries,
        calls.count,
        calls.missed_straddled,
        calls.in_flight,
    );
    ensure!(
        got == (3, 1, 2, 0),
        "calls over start and stop, one between, gave (entries, count, straddled, in flight) {got:?}"
    );
    Ok(())
}

/// Fprobes get one of sixteen places on the shadow stacks, another each time that they come back. Calls that were
/// asleep meanwhile return to them, and the kernel warns where their place is not as it was.
fn over_many_starts(lab: &Lab) -> Result<()> {
    const STARTS: u32 = 17;
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    control(guest, "backend=fprobe")?;
    let sleeper = Sleeper::probed(lab, NAME, "fprobe", STARTS)?;
    for call in 1..=STARTS {
        control(guest, "stop")?;
        control(guest, "start")?;
        wake(lab)?;
        if call < STARTS {
            asleep_again(guest, u64::from(call) + 1)?;
        }
    }
    sleeper.end()?;
    let calls = finish(guest)?;
    let got = (calls.entries, calls.count, calls.missed_straddled);
    let all = u64::from(STARTS);
    ensure!(
        got == (all, 0, all),
        "{all} calls over a stop and a start each gave (entries, count, straddled) {got:?}"
    );
    let log = guest.sh("dmesg")?;
    ensure!(!log.contains("WARNING"), "the kernel warns: {log}");
    Ok(())
}
