// SPDX-License-Identifier: GPL-2.0

//! The machine goes to sleep and wakes, all but for its firmware: in the emulator, nothing has woken it yet.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::watch::Watch;
use anyhow::Context;
use std::fs;

/// How far down the kernel goes before it turns back, here to where the firmware would be called: tasks are frozen,
/// devices suspended, other CPUs and interrupts off.
const LEVEL: (&str, &str) = ("/sys/power/pm_test", "core");

/// Seconds that it stays there.
const STAY: (&str, &str) = ("/sys/module/suspend/parameters/pm_test_delay", "1");

pub fn is_possible() -> bool {
    fs::exists(LEVEL.0).unwrap_or(false)
}

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare()?;
    for (file, word) in [LEVEL, STAY] {
        fs::write(file, word).with_context(|| format!("'{word}' into {file}"))?;
    }
    among(Actors::with_commands(seed), journal, watch, || {
        while rounds.next().is_some() {
            fs::write("/sys/power/state", "mem").context("no sleep")?;
        }
        Ok(())
    })
}
