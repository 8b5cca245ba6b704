// SPDX-License-Identifier: GPL-2.0

//! What waits for calls to return: never for itself, and nobody who has no part in it.

use crate::asleep::{wake, Sleeper};
use crate::labs::{On, World};
use crate::world::{control, fresh, load_targets, report, until, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Lab, Place};

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("del_does_not_wait_for_its_own_write", On::Bare, |lab| {
            own_write(lab.guest(Place::Bare))
        }),
        world.trial("del_goes_on_without_who_asked_for_it", On::Bare, abandoned),
        world.trial("what_may_not_return_gets_no_trampoline", On::Bare, |lab| {
            not_returning(lab.guest(Place::Bare))
        }),
        world.trial(
            "modules_come_and_go_while_a_command_takes_long",
            On::Bare,
            |lab| modules(lab.guest(Place::Bare)),
        ),
    ]
}

fn gone(guest: &Guest, name: &str) -> Result<()> {
    until(guest, &format!("{name} is gone"), |report| {
        report.stage(name).is_none()
    })
    .map(drop)
}

fn own_write(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    for function in ["__x64_sys_write", "vfs_write"] {
        control(guest, &format!("add {function} backend=direct"))?;
        let del = format!("echo del {function} >{CONTROL}");
        let deleting = guest.spawn(&["sh", "-c", &del])?;
        deleting.wait(PATIENCE)?.ok("del")?;
        gone(guest, function)?;
    }
    // Nothing pins it any more.
    guest.sh("rmmod xcap").map(drop)
}

fn abandoned(lab: &Lab) -> Result<()> {
    let guest = lab.guest(lab.capturing_place());
    fresh(guest, Stages::Few)?;
    let sleeper = Sleeper::probed(lab, "held", "direct", 1)?;
    let waiting = guest.spawn(&["sh", "-c", &format!("echo del held >{CONTROL}")])?;
    until(guest, "held is draining", |report| {
        report
            .stage("held")
            .is_some_and(|stage| stage.state == "draining")
    })?;
    waiting.signal(nix::libc::SIGTERM)?;
    waiting.wait(PATIENCE)?;
    wake(lab)?;
    sleeper.end()?;
    gone(guest, "held")?;
    guest.sh("rmmod xcap").map(drop)
}

fn not_returning(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    for function in ["do_exit", "do_group_exit", "get_signal", "do_idle"] {
        let add = format!("echo add {function} as ending backend=direct >{CONTROL}");
        let output = guest.run(&["sh", "-c", &add])?;
        let said = output.error_text();
        ensure!(
            !output.success() && said.contains("not supported"),
            "{function}: {}",
            said.trim()
        );
    }
    // Others leave the calls with the kernel.
    control(guest, "add do_exit")?;
    guest.sh("sh -c 'exit 0'")?;
    let ends = report(guest)?
        .stage("do_exit")
        .map_or(0, |stage| stage.entries);
    ensure!(ends > 0, "no task was seen to end");
    guest.sh("rmmod xcap").map(drop)
}

/// While many functions are hooked, which takes a while for each.
fn modules(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    control(guest, "add xcap_target_10 as target backend=direct")?;
    let add = format!("echo 'add tcp_* limit=1000 backend=fprobe' >{CONTROL}");
    let adding = guest.spawn(&["sh", "-c", &add])?;
    until(guest, "the first are added", |report| {
        let mut stages = report.stages.iter();
        stages.any(|stage| stage.stage.starts_with("tcp_"))
    })?;
    guest.sh("rmmod xcap_targets")?;
    let state = guest.sh("awk '$1 == \"target\" { print $5 }' /sys/kernel/debug/xcap/probes")?;
    ensure!(
        state.trim() == "gone",
        "its module went, and target is {state}"
    );
    load_targets(guest)?;
    adding.signal(nix::libc::SIGKILL)?;
    let added = adding.wait(PATIENCE)?;
    ensure!(
        !added.success(),
        "all were added before a module could come and go"
    );
    until(guest, "target is armed again", |report| {
        report
            .stage("target")
            .is_some_and(|stage| stage.state == "armed")
    })?;
    Ok(())
}
