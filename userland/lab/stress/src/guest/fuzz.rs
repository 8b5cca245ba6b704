// SPDX-License-Identifier: GPL-2.0

//! Commands of all kinds, well formed or not, while all that can be read is read.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::grammar::{self, Known};
use crate::guest::journal::Journal;
use crate::guest::rest;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use fastrand::Rng;
use std::fs;
use std::os::unix::fs::MetadataExt;
use xcap_abi::paths::PROBES;

/// So many commands later, what probes there are is looked up.
const LOOK_EVERY: u64 = 100;

/// More make each command take longer, and find nothing more.
const MOST_PROBES: usize = 60;

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(seed);
    files::prepare(&stages::some(&mut rng))?;
    let actors = Actors {
        readers: 2,
        pause: 20,
        commands: None,
    };
    among(actors, journal, watch, || {
        let mut known = Known {
            namespace: fs::metadata("/proc/self/ns/net")?.ino(),
            ..Known::default()
        };
        while let Some(round) = rounds.next() {
            if round % LOOK_EVERY == 0 {
                known.probes = names()?;
                if known.probes.len() > MOST_PROBES {
                    rest::gone()?;
                    files::load("auto", &stages::some(&mut rng))?;
                    continue;
                }
            }
            let command = grammar::command(&mut rng, &known);
            one(&command, journal, watch);
        }
        Ok(())
    })
}

fn names() -> anyhow::Result<Vec<String>> {
    let probes = files::read(PROBES)?.unwrap_or_default();
    let names = probes.lines().filter(|line| !line.starts_with('#'));
    let first = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    Ok(names.map(first).collect())
}

fn one(command: &[u8], journal: &Journal, watch: &Watch) {
    let shown = command.escape_ascii().to_string();
    journal.note(&format!("{shown:.200}"));
    let control = match files::open_control() {
        Ok(control) => control,
        Err(errno) => return journal.fail(format!("control can't be opened: {errno}")),
    };
    let answer = watch.during(format!("'{shown}'"), || files::command(&control, command));
    match answer {
        // Not a word to xcap: the kernel takes it.
        Ok(()) => {}
        Err(errno) if files::is_an_answer(errno) => {}
        Err(errno) => journal.fail(format!("'{shown:.200}' was answered with {errno}")),
    }
}
