// SPDX-License-Identifier: GPL-2.0

//! Modules whose functions are probed come and go.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::{bail, Context};
use fastrand::Rng;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare(stages::ALL)?;
    let driver = driver()?;
    let ended = among(Actors::with_commands(seed), journal, watch, || {
        let mut rng = Rng::with_seed(seed);
        while rounds.next().is_some() {
            // Some are there already, some are not, as it comes.
            let _ = files::must("add xcap_target_* limit=9");
            modprobe(&["-r", &driver])?;
            sleep(Duration::from_micros(rng.u64(..10_000)));
            files::unload_module("xcap_targets")?;
            modprobe(&[&driver])?;
            sleep(Duration::from_micros(rng.u64(..10_000)));
            files::load_targets()?;
        }
        Ok(())
    });
    files::load_targets()?;
    ended
}

/// The card's.
fn driver() -> anyhow::Result<String> {
    let settings = fs::read_to_string("/lab/guest.conf").context("cannot read /lab/guest.conf")?;
    let mut lines = settings.lines();
    let driver = lines.find_map(|line| line.strip_prefix("DRIVER="));
    Ok(driver.context("no driver")?.to_owned())
}

pub fn modprobe(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("modprobe").args(arguments).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("modprobe {}: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
