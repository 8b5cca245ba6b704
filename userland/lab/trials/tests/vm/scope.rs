// SPDX-License-Identifier: GPL-2.0

//! Scope: what an interface, a network namespace or a process caused counts, nothing else, and what is turned away is
//! counted, too.

use crate::labs::{On, World};
use crate::world::{control, fresh, report, stage, until, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::{CONTROL, PROBES};
use xcap_frames::READY;
use xcap_machines::{Guest, Place};
use xcap_stats::report::StageReport;

/// Primes: frames on the machine's own loopback, and on that of another network namespace.
const OURS: u64 = 23;
const OTHERS: u64 = 31;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "scope_of_two_interfaces_one_counts_and_the_other_is_turned_away",
            On::Unplugged,
            |lab| interfaces(lab.guest(Place::Bare)),
        ),
        world.trial("scope_of_two_processes_one_counts", On::Unplugged, |lab| {
            processes(lab.guest(Place::Bare))
        }),
        world.trial(
            "scope_that_cannot_be_told_is_refused_by_name",
            On::Unplugged,
            |lab| refused(lab.guest(Place::Bare)),
        ),
        world.trial("scope_of_what_has_gone", On::Unplugged, |lab| {
            gone(lab.guest(Place::Bare))
        }),
    ]
}

/// `lo`, which has the same number in both namespaces.
fn capture_on_both(guest: &Guest) -> Result<()> {
    capture(guest, OURS, "")?;
    capture(guest, OTHERS, "unshare -n ")
}

fn capture(guest: &Guest, frames: u64, within: &str) -> Result<()> {
    guest
        .sh(&format!(
            "rm -f /tmp/said; mkfifo /tmp/said; {within}sh -ec 'exec 3<>/tmp/said; ip link set lo up; \
             xcap-recv -i lo --count {frames} --timeout 60000 2>&3 >/dev/null & grep -q {READY} <&3; \
             xcap-send -i lo -d 00:00:00:00:00:00 --count {frames} >/dev/null; wait $!'"
        ))
        .map(drop)
}

/// How many calls count of a stage, and how many were turned away.
fn counts(one: &StageReport) -> Result<(u64, u64)> {
    ensure!(
        one.entries == one.count && one.missed == 0 && one.in_flight == 0,
        "{}: {} entries, {} samples, {} missed",
        one.stage,
        one.entries,
        one.count,
        one.missed
    );
    Ok((one.count, one.out_of_scope))
}

fn interfaces(guest: &Guest) -> Result<()> {
    let namespace = guest.sh("stat -Lc %i /proc/self/ns/net")?;
    for backend in ["direct", "kretprobe", "fprobe"] {
        fresh(guest, Stages::These("deliver,recvmsg,copy_user"))?;
        control(guest, &format!("backend={backend}"))?;
        for (only, scope) in [
            ("interface lo".to_owned(), "interface:lo".to_owned()),
            (
                format!("netns {}", namespace.trim()),
                format!("netns:{}", namespace.trim()),
            ),
        ] {
            for marks in ["off", "on"] {
                control(guest, &format!("marks {marks}"))?;
                control(guest, &format!("'only {only} deliver copy_user'"))?;
                capture_on_both(guest)?;
                let all = report(guest)?;
                let deliver = stage(&all, "deliver")?;
                ensure!(
                    counts(deliver)? == (OURS, OTHERS) && deliver.scope.as_ref() == Some(&scope),
                    "{backend}, {only}, marks {marks}: {:?}, {:?}",
                    counts(deliver)?,
                    deliver.scope
                );
                // Others' sockets have frames copied to them, too, which came by no interface.
                let (copied, away) = counts(stage(&all, "copy_user")?)?;
                ensure!(
                    copied + away >= OURS + OTHERS
                        && (copied == OURS || only.starts_with("netns") && copied > OURS),
                    "{backend}, {only}, marks {marks}: {copied} copied, {away} turned away"
                );
                // Who isn't named counts everybody.
                let recvmsg = stage(&all, "recvmsg")?;
                ensure!(
                    recvmsg.scope.is_none() && recvmsg.out_of_scope == 0,
                    "recvmsg: {:?}",
                    recvmsg.scope
                );
            }
        }
        control(guest, "marks off")?;
        control(guest, "'only all'")?;
        control(guest, "reset")?;
        capture_on_both(guest)?;
        let all = report(guest)?;
        let deliver = stage(&all, "deliver")?;
        ensure!(
            counts(deliver)? == (OURS + OTHERS, 0) && deliver.scope.is_none(),
            "{backend}: everybody's: {:?}",
            counts(deliver)?
        );
    }
    Ok(())
}

fn processes(guest: &Guest) -> Result<()> {
    for backend in ["direct", "kretprobe", "fprobe"] {
        fresh(guest, Stages::Few)?;
        control(
            guest,
            &format!("'add __x64_sys_chdir as chdir backend={backend}'"),
        )?;
        let moves = |times| format!("i=0; while [ $i -lt {times} ]; do cd /; i=$((i + 1)); done");
        let probe = guest.sh(&format!(
            "sh -ec 'echo only pid $$ chdir >{CONTROL}; {}' & wait $!; {}; grep ^chdir {PROBES}",
            moves(OURS),
            moves(OTHERS)
        ))?;
        ensure!(probe.contains("which is gone"), "it has ended: {probe}");
        let (count, away) = counts(stage(&report(guest)?, "chdir")?)?;
        ensure!(
            count == OURS && away >= OTHERS,
            "{backend}: {count} of {OURS}, {away} of {OTHERS} turned away"
        );
        control(guest, "'del chdir'")?;
    }
    Ok(())
}

/// What is refused, and how.
const REFUSED: [(&str, &str); 10] = [
    ("only", "Invalid argument"),
    ("only interface", "Invalid argument"),
    ("only netns x", "Invalid argument"),
    ("only card eth0", "Invalid argument"),
    ("only interface nosuch", "No such device"),
    ("only netns 5", "No such file"),
    ("only pid 4194303", "No such process"),
    ("only interface lo nosuch", "No such file"),
    ("only interface lo deliver softirq", "not supported"),
    ("only pid 1 softirq", "not supported"),
];

fn refused(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::These("softirq,deliver"))?;
    control(guest, "stop")?;
    let state = "cat /sys/kernel/debug/xcap/probes /sys/kernel/debug/xcap/stats";
    let before = guest.sh(state)?;
    for (bad, why) in REFUSED {
        let output = guest.run(&["sh", "-c", &format!("echo {bad} >{CONTROL}")])?;
        let said = output.error_text();
        ensure!(!output.success() && said.contains(why), "{bad}: {said}");
    }
    let after = guest.sh(state)?;
    ensure!(before == after, "something changed:\n{before}\n{after}");
    let log = guest.sh("dmesg | grep 'xcap: only'")?;
    ensure!(log.contains("softirq (net_rx_action)"), "{log}");
    Ok(())
}

fn gone(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::These("deliver,recvmsg"))?;
    // An interface of a namespace that ends with its last process, with both held by nobody.
    let mut inside = guest.spawn(&[
        "unshare",
        "-n",
        "sh",
        "-c",
        &format!("echo only interface lo deliver >{CONTROL}; echo ready >&2; exec sleep 10000"),
    ])?;
    inside.wait_for_line("ready", PATIENCE)?;
    capture_on_both(guest)?;
    let (count, away) = counts(stage(&report(guest)?, "deliver")?)?;
    ensure!(
        (count, away) == (0, OURS + OTHERS),
        "{count} counted, {away} turned away"
    );
    inside.signal(15)?;
    inside.wait(PATIENCE)?;
    until(guest, "the namespace ends", |_| {
        guest
            .sh(&format!("grep ^deliver {PROBES}"))
            .is_ok_and(|line| line.contains("only interface:lo, which is gone"))
    })?;
    capture_on_both(guest)?;
    let (count, away) = counts(stage(&report(guest)?, "deliver")?)?;
    ensure!(
        (count, away) == (0, 2 * (OURS + OTHERS)),
        "{count} counted, {away} turned away"
    );
    // xcap goes with a scope that is held.
    control(guest, "'only pid 1 recvmsg'")?;
    guest.sh("rmmod xcap").map(drop)
}
