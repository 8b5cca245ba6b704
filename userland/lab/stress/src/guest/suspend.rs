// SPDX-License-Identifier: GPL-2.0

//! The machine sleeps and wakes.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::watch::Watch;
use anyhow::Context;
use std::fs;

/// How it can sleep, as the kernel calls it: to RAM, or idle.
const MODES: &str = "/sys/power/mem_sleep";

/// What wakes it.
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// None: it can't.
pub fn modes() -> Vec<String> {
    let modes = fs::read_to_string(MODES).unwrap_or_default();
    let words = modes.split_whitespace();
    words
        .map(|word| word.trim_matches(['[', ']']).to_owned())
        .collect()
}

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare()?;
    let modes = modes();
    among(Actors::with_commands(seed), journal, watch, || {
        while let Some(round) = rounds.next() {
            let mode = &modes[round as usize % modes.len()];
            fs::write(MODES, mode).with_context(|| format!("'{mode}' into {MODES}"))?;
            // Whoever still waits for the last alarm does so no more.
            fs::write(ALARM, "0").with_context(|| format!("no alarm in {ALARM}"))?;
            fs::write(ALARM, "+2").with_context(|| format!("no alarm in {ALARM}"))?;
            fs::write("/sys/power/state", "mem").with_context(|| format!("no sleep ({mode})"))?;
        }
        Ok(())
    })
}
