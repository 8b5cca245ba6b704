// SPDX-License-Identifier: GPL-2.0

//! Each allocation and each access to user memory of each operation fails once.
//!
//! `fail-nth` has the n-th of a task fail, whatever else goes on. The attributes' defaults let pass whatever may
//! sleep, which is all that xcap allocates: `ignore-gfp-wait` has to be off.

use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::watch::Watch;
use anyhow::{Context, Result};
use nix::errno::Errno;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use xcap_abi::paths::{CALIBRATION, PROBES, STATS};

const DEBUGFS: &str = "/sys/kernel/debug";
const NTH: &str = "/proc/thread-self/fail-nth";

/// Attribute, value: those that a kernel hasn't got are left.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("failslab/ignore-gfp-wait", "N"),
    ("failslab/verbose", "0"),
    ("fail_page_alloc/ignore-gfp-wait", "N"),
    ("fail_page_alloc/ignore-gfp-highmem", "N"),
    ("fail_page_alloc/min-order", "0"),
    ("fail_page_alloc/verbose", "0"),
    ("fail_usercopy/verbose", "0"),
];

/// What is done with a failure in it; each undoes what the one before did.
const COMMANDS: [&str; 12] = [
    "add xcap_target_10 as fault backend=direct",
    "del fault",
    "add xcap_target_10 as fault backend=fprobe",
    "del fault",
    "add xcap_target_10 as fault backend=kretprobe",
    "del fault",
    "add xcap_target_* limit=20",
    "backend=fprobe",
    "backend=kretprobe",
    "backend=auto",
    "calibrate",
    "reset",
];

pub fn is_possible() -> bool {
    fs::exists(NTH).unwrap_or(false)
}

pub fn run(rounds: &mut Rounds, journal: &Journal, watch: &Watch) -> Result<()> {
    for (attribute, value) in ATTRIBUTES {
        let path = format!("{DEBUGFS}/{attribute}");
        if fs::exists(&path)? {
            fs::write(&path, value).with_context(|| format!("'{value}' into {path}"))?;
        }
    }
    files::load_targets()?;
    files::unload()?;
    let mut sweep = Sweep {
        rounds,
        journal,
        watch,
    };
    sweep.of("insmod", || {
        let loaded = files::load("auto");
        if loaded.is_ok() {
            // Failures are for insmod.
            files::unload_now("xcap")?;
        }
        loaded
    })?;
    files::load("auto")?;
    for command in COMMANDS {
        sweep.of(command, || {
            let control = files::open_control()?;
            files::command(&control, command.as_bytes())
        })?;
        // Whatever failed, it can be had afterwards, or is there.
        let _ = files::must(command);
        for word in ["stop", "start"] {
            files::must(word).with_context(|| format!("after '{command}' with failures"))?;
        }
    }
    for file in [STATS, PROBES, CALIBRATION] {
        sweep.of(file, || fs::read(file).map(drop).map_err(|_| Errno::EIO))?;
        files::read(file)?.context("it is there")?;
    }
    Ok(())
}

struct Sweep<'a> {
    rounds: &'a mut Rounds,
    journal: &'a Journal,
    watch: &'a Watch,
}

impl Sweep<'_> {
    /// Does it again and again, with the first, the second, the third … failing, until none is left to fail.
    fn of(&mut self, what: &str, mut act: impl FnMut() -> Result<(), Errno>) -> Result<()> {
        let nth = OpenOptions::new().read(true).write(true).open(NTH)?;
        for number in 1.. {
            if self.rounds.next().is_none() {
                return Ok(());
            }
            self.journal.note(&format!("{what}, failure {number}"));
            nth.write_at(number.to_string().as_bytes(), 0)?;
            let answer = self.watch.during(what, &mut act);
            let reached = !is_pending(&nth);
            nth.write_at(b"0", 0)?;
            if !reached {
                self.journal.note(&format!(
                    "{what}: {} places to fail at: {answer:?}",
                    number - 1
                ));
                return Ok(());
            }
            if let Err(e) = files::stats() {
                self.journal
                    .fail(format!("{what}, failure {number}: {e:#}"));
            }
        }
        Ok(())
    }
}

/// Whether there were fewer places to fail at.
fn is_pending(nth: &File) -> bool {
    let mut text = [0; 16];
    match nth.read_at(&mut text, 0) {
        Ok(length) => String::from_utf8_lossy(&text[..length]).trim() != "0",
        // This very reading was it.
        Err(_) => true,
    }
}
