// SPDX-License-Identifier: GPL-2.0

//! A driver that comes after xcap.

use crate::asleep::BACKENDS;
use crate::labs::{On, World};
use crate::world::{capture, control, fresh, load_targets, report, stage, unload, Stages};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Lab, Place};

const OF_THE_DRIVER: [&str; 2] = ["nic_irq", "nic_poll"];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let one = |backend| {
        let name = format!("a_driver_that_comes_later_is_armed_then_{backend}");
        world.trial(name, On::Bare, move |lab| comes_later(lab, backend))
    };
    let mut trials = Vec::from(["direct", "kretprobe", "fprobe"].map(one));
    for backend in BACKENDS {
        let name = format!("an_added_function_goes_and_comes_with_its_module_{backend}");
        trials.push(world.trial(name, On::Unplugged, move |lab| {
            added(lab.guest(Place::Bare), backend)
        }));
    }
    trials
}

fn comes_later(lab: &Lab, backend: &str) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    unload(guest)?;
    guest.sh(&format!(
        "ip link set eth0 down; rmmod e1000e; insmod /lab/xcap.ko backend={} stages=nic_irq,nic_poll",
        if backend == "direct" { "auto" } else { backend }
    ))?;
    let without = report(guest)?;
    let interrupt = &stage(&without, "nic_irq")?.state;
    ensure!(interrupt == "absent", "nic_irq is {interrupt}, not absent");
    // Whatever card there is.
    let poll = stage(&without, "nic_poll")?.function.clone();
    ensure!(
        poll.as_deref() == Some("__napi_poll"),
        "without a card that is known nic_poll is on {poll:?}"
    );
    for _ in 0..2 {
        guest.sh(". /lab/network.sh; card_up e1000e; /lab/settle")?;
        states(guest, "armed", Some(backend))?;
        control(guest, "start")?;
        capture(lab, 7, 1000)?;
        let polled = stage(&report(guest)?, "nic_poll")?.work;
        ensure!(polled == 7, "{polled} of 7 frames");
        control(guest, "start")?;
        guest.sh("ip link set eth0 down; rmmod e1000e")?;
        states(guest, "gone", None)?;
    }
    guest
        .sh(". /lab/network.sh; card_up e1000e; /lab/settle")
        .map(drop)
}

fn added(guest: &Guest, backend: &str) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    control(
        guest,
        &format!("add xcap_target_10 as mine backend={backend}"),
    )?;
    for calls in [23, 46, 69] {
        guest.sh("echo xcap_target_10 23 >/sys/kernel/debug/xcap_targets/call")?;
        let here = report(guest)?;
        let mine = stage(&here, "mine")?;
        ensure!(
            (mine.state.as_str(), mine.count) == ("armed", calls),
            "{} of {calls} calls, and it is {}",
            mine.count,
            mine.state
        );
        guest.sh("rmmod xcap_targets")?;
        let gone = report(guest)?;
        let mine = stage(&gone, "mine")?;
        ensure!(
            (mine.state.as_str(), mine.count) == ("gone", calls),
            "without its module it is {}, and has {} of {calls} calls",
            mine.state,
            mine.count
        );
        guest.sh("insmod /lab/targets/xcap_targets.ko")?;
    }
    control(guest, "del mine")?;
    guest.sh("rmmod xcap").map(drop)
}

fn states(guest: &Guest, wanted: &str, backend: Option<&str>) -> Result<()> {
    let report = report(guest)?;
    for name in OF_THE_DRIVER {
        let stage = stage(&report, name)?;
        ensure!(
            stage.state == wanted,
            "{name} is {}, not {wanted}",
            stage.state
        );
        if backend.is_some() {
            ensure!(
                stage.backend.as_deref() == backend,
                "{name} is hooked by {:?}, not {backend:?}",
                stage.backend
            );
        }
    }
    Ok(())
}
