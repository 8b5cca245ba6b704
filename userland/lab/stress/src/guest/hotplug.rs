// SPDX-License-Identifier: GPL-2.0

//! CPUs come and go.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::{bail, Context};
use fastrand::Rng;
use nix::libc::EBUSY;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

const CPU: &str = "/sys/devices/system/cpu/cpu1/online";

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::prepare(stages::ALL)?;
    let ended = among(Actors::with_commands(seed), journal, watch, || {
        let mut rng = Rng::with_seed(seed);
        while rounds.next().is_some() {
            for word in ["0", "1"] {
                watch.during(format!("a CPU's online={word}"), || turn(word))?;
                sleep(Duration::from_micros(rng.u64(..20_000)));
            }
        }
        Ok(())
    });
    turn("1")?;
    ended
}

fn turn(word: &str) -> anyhow::Result<()> {
    // Somebody who holds the CPUs for a moment makes it busy.
    for _ in 0..1000 {
        match fs::write(CPU, word) {
            Err(e) if e.raw_os_error() == Some(EBUSY) => sleep(Duration::from_millis(5)),
            written => return written.with_context(|| format!("'{word}' into {CPU}")),
        }
    }
    bail!("the CPU is always busy")
}
