// SPDX-License-Identifier: GPL-2.0

//! A machine of its own for each workload: what one breaks, the next doesn't meet.

use crate::guest::outcome::Outcome;
use crate::guest::Workload;
use crate::host::ended::Ended;
use crate::host::plan::Dose;
use crate::host::words::name_of;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use xcap_machines::build::kbuild;
use xcap_machines::config::Copy;
use xcap_machines::materials::source_tree;
use xcap_machines::{Config, Lab, Materials, Output, Place};

/// What the kernel says to allocations that fail where it needs them, whoever asked for what it does: to itself, where
/// it unhooks a kprobe, where it allocates from vmalloc, and where the first fprobe of all comes.
const NO_MEMORY: [&str; 3] = [
    "Failed to disarm kprobe-ftrace",
    "vmalloc error:",
    "WARNING: kernel/trace/fprobe.c",
];

/// What ACPI says as a machine wakes that the clock woke: its event is over by then.
const AWAKE: [&str; 1] = ["Could not disable RealTimeClock events"];

/// To start and to end a workload, beside its rounds.
const MARGIN: Duration = Duration::from_secs(300);

/// Runs a workload. What goes wrong in the guest is a failure of it.
pub fn run(
    materials: &Materials,
    dose: &Dose,
    seed: u64,
    slowness: u32,
    keep: &Path,
) -> Result<Ended> {
    let config = config(materials, dose.workload)?;
    let command = command(dose, seed, slowness);
    let longest = dose.longest + MARGIN * slowness;
    // QEMU's port, by which the agent speaks, is deaf after suspend.
    let (lab, output) = if dose.workload == Workload::Suspend {
        let mut lab = Lab::for_job(materials)?;
        let output = lab.run_silently(materials, &config, &command, longest);
        (lab, output)
    } else {
        let lab = Lab::boot(materials, &config)?;
        let output = in_guest(&lab, &command, longest);
        (lab, output)
    };
    let mut outcome = match output.and_then(|output| outcome(&output)) {
        Ok(outcome) => outcome,
        Err(e) => Ended::failed(&e).outcome,
    };
    let known: &[&str] = match dose.workload {
        Workload::Faults => &NO_MEMORY,
        Workload::Suspend => &AWAKE,
        _ => &[],
    };
    if let Err(e) = lab.logs().check_but(known) {
        outcome.failures.push(format!("{e:#}"));
    }
    Ended::of(&lab, outcome, keep)
}

fn config(materials: &Materials, workload: Workload) -> Result<Config> {
    let targets = source_tree()?.join("userland/lab/targets");
    let copy = |from: PathBuf, to: &str| Copy {
        from,
        to: to.to_owned(),
    };
    Ok(Config {
        load: false,
        // Functions are hooked while another CPU calls them.
        cpus_in_turn: true,
        copies: vec![
            copy(
                kbuild::build(&materials.cache, &materials.kernel, &targets)?,
                "/lab/targets",
            ),
            copy(materials.program("xcap-stress")?, "/usr/bin/xcap-stress"),
            copy(materials.program("xcap-fentry")?, "/usr/bin/xcap-fentry"),
        ],
        append: match workload {
            Workload::Suspend => "no_console_suspend ignore_loglevel".to_owned(),
            _ => String::new(),
        },
        ..Config::of([Place::Bare])
    })
}

fn command(dose: &Dose, seed: u64, slowness: u32) -> Vec<String> {
    let patience = 120 * u64::from(slowness);
    vec![
        "xcap-stress".to_owned(),
        "guest".to_owned(),
        name_of(dose.workload),
        format!("--seed={seed}"),
        format!("--rounds={}", dose.rounds),
        format!("--seconds={}", dose.longest.as_secs()),
        format!("--patience={patience}"),
    ]
}

fn in_guest(lab: &Lab, command: &[String], longest: Duration) -> Result<Output> {
    let running = lab.guest(Place::Bare).spawn(command)?;
    running.close_stdin()?;
    running.wait(longest)
}

/// What the workload said.
fn outcome(output: &Output) -> Result<Outcome> {
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().last();
    let line = line.with_context(|| format!("it said nothing: {}", output.error_text()))?;
    serde_json::from_str(line).with_context(|| format!("it said: {said}"))
}
