// SPDX-License-Identifier: GPL-2.0

//! The machine sleeps and wakes.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::watch::Watch;
use anyhow::Context;
use std::fs;

/// How it can sleep, as the kernel calls it. Not idle: nothing wakes QEMU's machine from that.
const MODES: &str = "/sys/power/mem_sleep";
const TO_RAM: &str = "deep";

/// What wakes it.
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Seconds from now: later than when it sleeps, on a busy host, too.
const WHEN: &str = "+8";

pub fn is_possible() -> bool {
    let modes = fs::read_to_string(MODES).unwrap_or_default();
    let mut words = modes.split_whitespace();
    words.any(|word| word.trim_matches(['[', ']']) == TO_RAM)
}

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare()?;
    fs::write(MODES, TO_RAM).with_context(|| format!("'{TO_RAM}' into {MODES}"))?;
    among(Actors::with_commands(seed), journal, watch, || {
        while rounds.next().is_some() {
            // Whoever still waits for the last alarm does so no more.
            fs::write(ALARM, "0").with_context(|| format!("no alarm in {ALARM}"))?;
            fs::write(ALARM, WHEN).with_context(|| format!("no alarm in {ALARM}"))?;
            fs::write("/sys/power/state", "mem").context("no sleep")?;
        }
        Ok(())
    })
}
