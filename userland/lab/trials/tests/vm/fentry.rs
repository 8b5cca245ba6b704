// SPDX-License-Identifier: GPL-2.0

//! A function that a BPF fentry program has, or wants: only one direct call can have it.

use crate::asleep::BACKENDS;
use crate::labs::{On, World};
use crate::world::{capture, control, fresh, report, stage, unload, Stages, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Lab, Place, Running};

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = vec![
        world.trial(
            "a_taken_function_is_left_to_its_owner",
            On::Unplugged,
            |lab| taken(lab.guest(Place::Bare)),
        ),
        world.trial(
            "a_stage_whose_function_is_taken_is_hooked_otherwise",
            On::Bare,
            taken_stage,
        ),
        world.trial("our_function_is_not_taken_from_us", On::Unplugged, |lab| {
            taking(lab.guest(Place::Bare))
        }),
    ];
    for backend in BACKENDS {
        let name = format!("a_function_is_counted_while_bpf_comes_and_goes_{backend}");
        trials.push(world.trial(name, On::Unplugged, move |lab| {
            coming_and_going(lab.guest(Place::Bare), backend)
        }));
    }
    trials
}

/// Called by nothing in a guest but our own loops.
const FUNCTION: &str = "__x64_sys_umask";

/// A prime: no other number of calls is taken for it.
const CALLS: u64 = 23;

/// A BPF fentry program that has a function.
struct Rival(Running);

impl Rival {
    fn holding(guest: &Guest, function: &str) -> Result<Self> {
        let mut running = guest.spawn(&["xcap-fentry", function])?;
        running.wait_for_line("ready", PATIENCE)?;
        Ok(Self(running))
    }

    /// Lets go; gives how often the program ran.
    fn end(self) -> Result<u64> {
        self.0.close_stdin()?;
        let runs = self.0.wait(PATIENCE)?.ok("xcap-fentry")?;
        let runs = runs.lines().last().unwrap_or_default();
        runs.parse()
            .with_context(|| format!("xcap-fentry ended with '{runs}'"))
    }

    /// One that must not get the function: EINVAL is what Linux 7.2 and 7.3 say, EBUSY what others do.
    fn refused(guest: &Guest, function: &str) -> Result<()> {
        let refused = guest.run(&["xcap-fentry", function])?;
        let error = refused.error_text();
        let known = ["Invalid argument", "busy"].map(|word| error.contains(word));
        ensure!(
            refused.exit_code() == 1 && error.contains("cannot attach") && known.contains(&true),
            "BPF was not refused our function: {error}"
        );
        Ok(())
    }
}

fn turns(times: u64) -> String {
    format!("i=0; while [ $i -lt {times} ]; do umask 022; i=$((i + 1)); done")
}

fn call(guest: &Guest, times: u64) -> Result<()> {
    guest.sh(&turns(times)).map(drop)
}

fn count(guest: &Guest, name: &str) -> Result<u64> {
    Ok(stage(&report(guest)?, name)?.count)
}

fn is(guest: &Guest, name: &str, backend: &str, state: &str, reason: Option<&str>) -> Result<()> {
    let report = report(guest)?;
    let stage = stage(&report, name)?;
    let got = (
        stage.backend.as_deref(),
        stage.state.as_str(),
        stage.reason.as_deref(),
    );
    ensure!(
        got == (Some(backend), state, reason),
        "{name} is {got:?}, not ({backend}, {state}, {reason:?})"
    );
    Ok(())
}

/// How many system calls a turn of [`call`] makes: the shell's umask asks for the mask, too.
fn calls_a_turn(guest: &Guest) -> Result<u64> {
    control(guest, &format!("add {FUNCTION} as alone backend=fprobe"))?;
    call(guest, 1)?;
    let one = count(guest, "alone")?;
    control(guest, "del alone")?;
    ensure!(one > 0, "the shell's umask is no system call");
    Ok(one)
}

/// Insisting on direct is refused and changes nothing; the other backends count beside BPF.
fn taken(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let calls = CALLS * calls_a_turn(guest)?;
    let rival = Rival::holding(guest, FUNCTION)?;
    let probes = "grep -v '^#' /sys/kernel/debug/xcap/probes";
    let before = guest.sh(probes)?;
    let insist = format!("echo add {FUNCTION} as wanted backend=direct >{CONTROL}");
    let insisted = guest.run(&["sh", "-c", &insist])?;
    ensure!(
        insisted.error_text().contains("busy"),
        "a taken function was hooked directly: {}",
        insisted.error_text()
    );
    let after = guest.sh(probes)?;
    ensure!(
        after == before,
        "what was refused changed probes from\n{before}to\n{after}"
    );
    let others = ["fprobe", "kretprobe"];
    for backend in others {
        control(
            guest,
            &format!("add {FUNCTION} as shared backend={backend}"),
        )?;
        call(guest, CALLS)?;
        let ours = count(guest, "shared")?;
        ensure!(ours == calls, "{backend}: {ours} of {calls} calls");
        control(guest, "del shared")?;
    }
    let (all, runs) = (calls * others.len() as u64, rival.end()?);
    ensure!(runs == all, "of {all} calls BPF saw {runs}");
    Ok(())
}

/// A stage whose function BPF has falls back, loses no frame, and is direct when it is free again.
fn taken_stage(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    unload(guest)?;
    let rival = Rival::holding(guest, "packet_rcv")?;
    guest.sh("insmod /lab/xcap.ko stages=deliver")?;
    is(guest, "deliver", "fprobe", "armed", Some("direct_taken"))?;
    capture(lab, CALLS as u32, 100)?;
    let (ours, runs) = (count(guest, "deliver")?, rival.end()?);
    ensure!(
        (ours, runs) == (CALLS, CALLS),
        "of {CALLS} frames we saw {ours}, BPF {runs}"
    );
    control(guest, "start")?;
    is(guest, "deliver", "direct", "armed", None)?;
    capture(lab, CALLS as u32, 100)?;
    let ours = count(guest, "deliver")?;
    ensure!(ours == CALLS, "{ours} of {CALLS} frames when BPF is gone");

    // Taken while we are stopped.
    control(guest, "stop")?;
    let rival = Rival::holding(guest, "packet_rcv")?;
    control(guest, "start")?;
    is(guest, "deliver", "fprobe", "armed", Some("direct_taken"))?;
    capture(lab, CALLS as u32, 100)?;
    let (ours, runs) = (count(guest, "deliver")?, rival.end()?);
    ensure!(
        (ours, runs) == (CALLS, CALLS),
        "of {CALLS} frames after start we saw {ours}, BPF {runs}"
    );
    Ok(())
}

/// We have the function: BPF is refused and disturbs nothing. What we let go, it can have.
fn taking(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let calls = CALLS * calls_a_turn(guest)?;
    control(guest, &format!("add {FUNCTION} as ours backend=direct"))?;
    Rival::refused(guest, FUNCTION)?;
    call(guest, CALLS)?;
    let ours = count(guest, "ours")?;
    ensure!(ours == calls, "{ours} of {calls} calls");
    is(guest, "ours", "direct", "armed", None)?;

    control(guest, "stop")?;
    let rival = Rival::holding(guest, FUNCTION)?;
    control(guest, "start")?;
    is(guest, "ours", "direct", "failed", Some("direct_taken"))?;
    call(guest, CALLS)?;
    let (ours, runs) = (count(guest, "ours")?, rival.end()?);
    ensure!(
        (ours, runs) == (calls, calls),
        "of {calls} calls when BPF has the function we saw {}, BPF {runs}",
        ours - calls
    );

    control(guest, "stop")?;
    control(guest, "start")?;
    is(guest, "ours", "direct", "armed", None)?;
    call(guest, CALLS)?;
    let ours = count(guest, "ours")?;
    ensure!(
        ours == 2 * calls,
        "{ours} of {} calls when the function is ours again",
        2 * calls
    );
    control(guest, "del ours")?;
    guest.sh("rmmod xcap").map(drop)
}

/// BPF takes and leaves a function whose calls we count, or tries to.
fn coming_and_going(guest: &Guest, backend: &str) -> Result<()> {
    const TURNS: u64 = 100_003;
    fresh(guest, Stages::Few)?;
    let calls = TURNS * calls_a_turn(guest)?;
    control(guest, &format!("add {FUNCTION} as ours backend={backend}"))?;
    // One CPU is left for BPF.
    let storm = guest.spawn(&["taskset", "2", "sh", "-c", &turns(TURNS)])?;
    let mut runs = 0;
    for _ in 0..3 {
        if backend == "direct" {
            Rival::refused(guest, FUNCTION)?;
        } else {
            runs += Rival::holding(guest, FUNCTION)?.end()?;
        }
    }
    storm.wait(PATIENCE)?.ok("the storm")?;
    let ours = count(guest, "ours")?;
    ensure!(ours == calls, "{ours} of {calls} calls");
    ensure!(
        backend == "direct" || runs > 0,
        "BPF came too late to see a call"
    );
    control(guest, "del ours")
}
