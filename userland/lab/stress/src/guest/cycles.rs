// SPDX-License-Identifier: GPL-2.0

//! xcap comes and goes while its functions are called, its files read, commands given.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::Context;
use fastrand::Rng;
use std::thread::sleep;
use std::time::Duration;

const BACKENDS: [&str; 4] = ["auto", "direct", "fprobe", "kretprobe"];

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    files::load_targets()?;
    files::unload()?;
    let actors = Actors {
        readers: 1,
        pause: 30,
        // Whoever gives a command keeps xcap until it has ended.
        commands: Some((seed, 300)),
    };
    among(actors, journal, watch, || {
        let mut rng = Rng::with_seed(seed);
        while rounds.next().is_some() {
            let backend = BACKENDS[rng.usize(..BACKENDS.len())];
            let stages = stages::some(&mut rng);
            watch
                .during("insmod", || files::load(backend, &stages))
                .with_context(|| format!("insmod xcap.ko backend={backend} stages={stages}"))?;
            sleep(Duration::from_micros(rng.u64(..20_000)));
            // Not watched: it is polled, and gives up itself.
            files::unload()?;
        }
        files::load("auto", stages::ALL).context("insmod at last")
    })
}
