// SPDX-License-Identifier: GPL-2.0

//! The workloads of `make stress`, a few rounds of each, from a seed that is always the same.

use crate::labs::{On, World};
use crate::world::{unload, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::fs;
use std::process::Command;
use xcap_machines::{Guest, Place};

const SEED: u32 = 4711;

/// Workload, rounds. None of them checks less than with many.
const WORKLOADS: [(&str, u32); 6] = [
    ("fuzz", 307),
    ("cycles", 11),
    ("storm", 31),
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
    let mut trials: Vec<Trial> = WORKLOADS.map(one).into();
    let suspend = "xcap_stands_a_suspend_to_ram";
    trials.push(world.own_trial(suspend, || suspend_to_ram(world)));
    trials
}

/// What the agent speaks on doesn't outlive a suspend, so that the machine is the program's.
fn suspend_to_ram(world: &World) -> Result<()> {
    let results = tempfile::tempdir()?;
    let mut stress = Command::new(world.materials()?.program("xcap-stress")?);
    let stress = stress
        .args([
            "run",
            "--kernel=stock",
            "--what=suspend",
            "--quick",
            "--jobs=1",
        ])
        .arg(format!("--seed={SEED}"))
        .arg("--results")
        .arg(results.path());
    let output = stress.output().context("xcap-stress does not run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "suspend: {said}");
    let rows = fs::read(results.path().join("stress.json"))?;
    let rows: serde_json::Value = serde_json::from_slice(&rows)?;
    let rounds = rows[0]["rounds"].as_u64();
    ensure!(rounds.is_some_and(|rounds| rounds > 0), "suspend: {rows}");
    Ok(())
}

fn run(guest: &Guest, workload: &str, rounds: u32) -> Result<()> {
    unload(guest)?;
    let rounds_option = format!("--rounds={rounds}");
    let seed_option = format!("--seed={SEED}");
    let command = [
        "xcap-stress",
        "guest",
        workload,
        &seed_option,
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
