// SPDX-License-Identifier: GPL-2.0

//! What docs/architecture.md says of adding a counter and a stage is all there is to do.

use crate::labs::World;
use crate::world::{control, report, stage};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::fs;
use std::path::Path;
use xcap_abi::paths::STATS;
use xcap_machines::build::module::{self, Lints, SOURCES};
use xcap_machines::materials::{source_tree, tools_dir};
use xcap_machines::{run, Config, Lab, Materials, Place};

/// A prime: no other number of calls is taken for it.
const CALLS: u64 = 23;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![world.own_trial(
        "a_counter_and_a_stage_are_added_as_the_walk_says",
        move || added(world),
    )]
}

fn added(world: &World) -> Result<()> {
    let materials = world.materials()?;
    let ko = extended(materials)?;
    let config = Config::of([Place::Bare]);
    let mut lab = Lab::boot(&Materials::prepare(Some(&ko))?, &config)?;
    counted(lab.guest(Place::Bare)).map_err(|e| lab.explain(e))?;
    lab.logs().check()
}

/// The module, built of a copy of its sources to which the walks' differences were applied.
fn extended(materials: &Materials) -> Result<std::path::PathBuf> {
    let tree = source_tree()?;
    // In one place always, so that a second run compiles little.
    let copy = tools_dir()?.join("extended");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    for part in SOURCES {
        module::mirror(&tree.join(part), &copy.join(part))?;
    }
    let document = fs::read_to_string(tree.join("docs/architecture.md"))?;
    let differences = differences(&document);
    ensure!(
        differences.matches("+++ ").count() == 5,
        "docs/architecture.md has other walks than this trial"
    );
    patch(materials, &copy, &differences)?;
    module::build(&materials.cache, &materials.kernel, &copy, Lints::Compiler)
}

/// The document's blocks of the kind `diff`.
fn differences(document: &str) -> String {
    let mut inside = false;
    let mut blocks = String::new();
    for line in document.lines() {
        match line {
            "```diff" => inside = true,
            "```" => inside = false,
            _ if inside => blocks += &format!("{line}\n"),
            _ => {}
        }
    }
    blocks
}

fn patch(materials: &Materials, folder: &Path, differences: &str) -> Result<()> {
    let file = folder.join("walks.diff");
    fs::write(&file, differences)?;
    let sandbox = materials.machine.sandbox().bind(folder);
    let mut command = sandbox.current_dir(folder).command("busybox");
    command.args(["patch", "-p1", "-i"]).arg(&file);
    run::output(&mut command)
        .map(drop)
        .context("the walks in docs/architecture.md don't fit the sources any more")
}

/// The stage counts its calls, and each that slept in the counter, too; both stand where they belong.
fn counted(guest: &xcap_machines::Guest) -> Result<()> {
    control(
        guest,
        "add __x64_sys_clock_nanosleep as nap backend=kretprobe",
    )?;
    guest.sh(&format!(
        "for i in $(seq {CALLS}); do sync; sleep 0.01; done"
    ))?;
    control(guest, "stop")?;
    // An xcap-read that knows neither reads both.
    let report = report(guest)?;
    let naps = stage(&report, "nap")?;
    let counts = (stage(&report, "sync")?.count, naps.count);
    ensure!(
        counts == (CALLS, CALLS),
        "{counts:?} calls of sync and nap were counted, of {CALLS} each"
    );
    let stats = guest.sh(&format!("cat {STATS}"))?;
    let columns = stats
        .lines()
        .find_map(|line| line.strip_prefix("# columns "))
        .context("stats names no columns")?;
    ensure!(
        columns.split(' ').next_back() == Some("slow"),
        "the new column isn't the last: {columns}"
    );
    let nap = stats
        .lines()
        .find(|line| line.starts_with("nap "))
        .context("stats has no line of nap")?;
    // On a busy host one may be over before it sleeps.
    let slept = naps.switched + naps.migrated;
    ensure!(
        slept > 0 && nap.split(' ').next_back() == Some(slept.to_string().as_str()),
        "not each of {slept} calls that slept was counted as slow: {nap}"
    );
    Ok(())
}
