// SPDX-License-Identifier: GPL-2.0

//! The workloads of `make stress`, a few rounds of each, from a seed that is always the same.

use crate::labs::{On, World};
use crate::world::{unload, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Place};

/// Workload, rounds. None of them checks less than with many.
const WORKLOADS: [(&str, u32); 6] = [
    ("fuzz", 307),
    ("cycles", 11),
    ("storm", 53),
    ("hotplug", 7),
    ("drivers", 3),
    ("neighbours", 11),
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let one = |(workload, rounds)| {
        let name = format!("xcap_stands_a_few_rounds_of_{workload}");
        world.trial(name, On::Unplugged, move |lab| {
            run(lab.guest(Place::Bare), workload, rounds)
        })
    };
    WORKLOADS.map(one).into()
}

fn run(guest: &Guest, workload: &str, rounds: u32) -> Result<()> {
    unload(guest)?;
    let rounds_option = format!("--rounds={rounds}");
    let command = [
        "xcap-stress",
        "guest",
        workload,
        "--seed=4711",
        &rounds_option,
    ];
    let running = guest.spawn(&command)?;
    running.close_stdin()?;
    let output = running.wait(PATIENCE * 2)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let all = format!("\"rounds\":{rounds},");
    ensure!(
        output.success() && said.contains(&all),
        "{workload}: {said}"
    );
    Ok(())
}
