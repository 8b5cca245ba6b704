// SPDX-License-Identifier: GPL-2.0

//! Processors on which the kernel returns by a thunk: our code returns as the kernel's does.

use crate::asleep::BACKENDS;
use crate::labs::{targets, World};
use crate::world::{control, fresh, load_targets, report, stage, Stages};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::config::emulation::Accelerator;
use xcap_machines::{Config, Guest, Lab, Place};

struct Processor {
    property: &'static str,
    /// As QEMU calls it.
    cpu: &'static str,
    append: &'static str,
    /// What the kernel says of it.
    thunk: &'static str,
}

const PROCESSORS: [Processor; 2] = [
    Processor {
        property: "calls_are_counted_with_a_return_thunk",
        cpu: "EPYC-Rome",
        append: "",
        thunk: "active return thunk: retbleed_return_thunk",
    },
    Processor {
        property: "calls_are_counted_with_call_depth_tracking",
        cpu: "Skylake-Client",
        append: "retbleed=stuff",
        thunk: "active return thunk: call_depth_return_thunk",
    },
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let one = |processor: &'static Processor| {
        world.own_trial(processor.property, move || on(world, processor))
    };
    PROCESSORS.iter().map(one).collect()
}

fn on(world: &World, processor: &Processor) -> Result<()> {
    let materials = world.materials()?;
    let config = Config {
        cpu: Some(processor.cpu.to_owned()),
        append: processor.append.to_owned(),
        copies: vec![targets(materials)?],
        cpus_in_turn: true,
        // Another's processor is no business of KVM's.
        accelerator: Accelerator::Tcg,
        ..Config::of([Place::Bare])
    };
    let mut lab = Lab::boot(materials, &config)?;
    let outcome = counted(lab.guest(Place::Bare), processor);
    outcome.map_err(|e| lab.explain(e))?;
    lab.logs().check()
}

fn counted(guest: &Guest, processor: &Processor) -> Result<()> {
    let said = guest.sh("dmesg")?;
    ensure!(
        said.contains(processor.thunk),
        "{} returns otherwise: no '{}'",
        processor.cpu,
        processor.thunk
    );
    load_targets(guest)?;
    for backend in BACKENDS {
        fresh(guest, Stages::Few)?;
        control(
            guest,
            &format!("add xcap_target_10 as returned backend={backend}"),
        )?;
        control(
            guest,
            &format!("add xcap_target_nest as nested backend={backend}"),
        )?;
        let call = |function: &str, times: u32| {
            guest.sh(&format!(
                "echo {function} {times} >/sys/kernel/debug/xcap_targets/call"
            ))
        };
        call("xcap_target_10", 10_007)?;
        call("xcap_target_nest", 1_009)?;
        let report = report(guest)?;
        let counts = ["returned", "nested"]
            .map(|name| stage(&report, name).map(|stage| (stage.count, stage.missed)));
        let [returned, nested] = counts;
        let got = (returned?, nested?);
        ensure!(
            got == ((10_007, 0), (1_009, 0)),
            "{backend}: of 10007 and 1009 calls (counted, missed) are {got:?}"
        );
        for name in ["returned", "nested"] {
            control(guest, &format!("del {name}"))?;
        }
        guest.sh("rmmod xcap")?;
    }
    Ok(())
}
