// SPDX-License-Identifier: GPL-2.0

//! Calls without a pause, while all that can be changed is changed.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::ensure;
use fastrand::Rng;

const WORDS: [&str; 8] = [
    "reset",
    "reset",
    "reset",
    "stop",
    "start",
    "backend=direct",
    "backend=fprobe",
    "backend=kretprobe",
];

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(seed);
    files::prepare(&stages::some(&mut rng))?;
    files::must("add xcap_target_10 as storm")?;
    files::must("add xcap_target_nest as nest backend=direct")?;
    let actors = Actors {
        readers: 2,
        pause: 0,
        commands: None,
    };
    among(actors, journal, watch, || {
        while rounds.next().is_some() {
            let word = WORDS[rng.usize(..WORDS.len())];
            let answer = watch.during(word, || files::must(word));
            // A signal ended it: it waited for calls, of which there is no end.
            let waited = word.starts_with("backend=");
            ensure!(answer.is_ok() || waited, "{:#}", answer.unwrap_err());
        }
        Ok(())
    })
}
