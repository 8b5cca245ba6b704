// SPDX-License-Identifier: GPL-2.0

//! The machine sleeps (ACPI's S3) until its clock wakes it.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::Context;
use std::fs;
use std::path::Path;

const STATE: &str = "/sys/power/state";
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Seconds: an alarm that goes off before the machine sleeps wakes nobody.
const NAP: &str = "+10";

/// What the host speaks on. QEMU's end of it is deaf after a suspend, but to who comes to it anew.
const PORT: &str = "/sys/bus/virtio/drivers/virtio_console";

pub fn is_possible() -> bool {
    let states = fs::read_to_string(STATE).unwrap_or_default();
    states.split_whitespace().any(|state| state == "mem") && Path::new(ALARM).exists()
}

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare(stages::ALL)?;
    let ports = ports()?;
    for port in &ports {
        put(&format!("{PORT}/unbind"), port)?;
    }
    let slept = among(Actors::with_commands(seed), journal, watch, || {
        while rounds.next().is_some() {
            put(ALARM, "0")?;
            put(ALARM, NAP)?;
            put(STATE, "mem")?;
        }
        Ok(())
    });
    for port in &ports {
        put(&format!("{PORT}/bind"), port)?;
    }
    slept
}

fn ports() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(PORT).with_context(|| format!("cannot read {PORT}"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| name.starts_with("virtio")).collect())
}

fn put(file: &str, word: &str) -> anyhow::Result<()> {
    fs::write(file, word).with_context(|| format!("'{word}' into {file}"))
}
