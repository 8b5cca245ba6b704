// SPDX-License-Identifier: GPL-2.0

//! A machine of its own for each workload: what one breaks, the next doesn't meet.

use crate::guest::outcome::Outcome;
use crate::host::plan::Dose;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use xcap_machines::build::kbuild;
use xcap_machines::config::Copy;
use xcap_machines::materials::source_tree;
use xcap_machines::provide::lacks;
use xcap_machines::{Config, Lab, Materials, Place};

/// To start and to end a workload, beside its rounds.
const MARGIN: Duration = Duration::from_secs(300);

/// What came of a workload, and its guests' logs.
pub struct Ended {
    pub outcome: Outcome,
    pub logs: Option<PathBuf>,
}

/// Runs a workload. Everything that goes wrong is a failure of it.
pub fn run(materials: &Materials, dose: &Dose, seed: u64, slowness: u32) -> Result<Ended> {
    let config = config(materials)?;
    let lab = match Lab::boot(materials, &config) {
        Ok(lab) => lab,
        Err(e) => return Ok(failed(format!("{e:#}"), None)),
    };
    let logs = Some(lab.logs().folder().to_owned());
    let mut outcome = match in_guest(&lab, dose, seed, slowness) {
        Ok(outcome) => outcome,
        Err(e) => failed(format!("{e:#}"), None).outcome,
    };
    if let Err(e) = lab.logs().check() {
        outcome.failures.push(format!("{e:#}"));
    }
    Ok(Ended { outcome, logs })
}

fn failed(what: String, logs: Option<PathBuf>) -> Ended {
    let outcome = Outcome {
        rounds: 0,
        failures: vec![what],
        skipped: None,
    };
    Ended { outcome, logs }
}

fn config(materials: &Materials) -> Result<Config> {
    let targets = source_tree()?.join("userland/lab/targets");
    let copy = |from: PathBuf, to: &str| Copy {
        from,
        to: to.to_owned(),
    };
    // KASAN reports the kernel's own early code under five levels of page tables, and where it is moved.
    let is_kasan = lacks::is_set(&materials.kernel.config()?, "KASAN");
    Ok(Config {
        load: false,
        cpu: is_kasan.then(|| "max,-la57".to_owned()),
        append: if is_kasan { "nokaslr" } else { "" }.to_owned(),
        memory_mib: if is_kasan { 2048 } else { 1024 },
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
        ..Config::of([Place::Bare])
    })
}

fn in_guest(lab: &Lab, dose: &Dose, seed: u64, slowness: u32) -> Result<Outcome> {
    let word = name_of(dose.workload);
    let patience = 120 * u64::from(slowness);
    let command = [
        "xcap-stress".to_owned(),
        "guest".to_owned(),
        word.clone(),
        format!("--seed={seed}"),
        format!("--rounds={}", dose.rounds),
        format!("--seconds={}", dose.longest.as_secs()),
        format!("--patience={patience}"),
    ];
    let running = lab.guest(Place::Bare).spawn(&command)?;
    running.close_stdin()?;
    let output = running.wait(dose.longest + MARGIN * slowness)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().last();
    let line = line.with_context(|| format!("{word} said nothing: {}", output.error_text()))?;
    serde_json::from_str(line).with_context(|| format!("{word} said: {said}"))
}

/// What it is called on the command line.
pub fn name_of(word: impl clap::ValueEnum) -> String {
    let value = word.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Keeps logs that would be removed with later runs.
pub fn keep_logs(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
