// SPDX-License-Identifier: GPL-2.0

//! Each allocation and each access to user memory of each operation fails once, those that the kernel comes to in
//! different ways first, as far as the time does.
//!
//! `fail-nth` has the n-th of a task fail, whatever else goes on. The attributes' defaults let pass whatever may
//! sleep, which is all that xcap allocates: `ignore-gfp-wait` has to be off.

use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::outcome::Swept;
use crate::guest::places::{self, Survey};
use crate::guest::rest;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::{ensure, Context, Result};
use fastrand::Rng;
use nix::errno::Errno;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::Instant;
use xcap_abi::paths::{CALIBRATION, MARKS, PER_CPU, PROBES, STATS};

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

/// What has to be before, as far as it can be had, and what is done with a failure in it.
const COMMANDS: [(&[&str], &str); 21] = [
    (&["del fault"], "add xcap_target_10 as fault backend=direct"),
    (&["add xcap_target_10 as fault backend=direct"], "del fault"),
    (&["del fault"], "add xcap_target_10 as fault backend=fprobe"),
    (&["add xcap_target_10 as fault backend=fprobe"], "del fault"),
    (
        &["del fault"],
        "add xcap_target_10 as fault backend=kretprobe",
    ),
    (
        &["add xcap_target_10 as fault backend=kretprobe"],
        "del fault",
    ),
    (
        &[
            "del xcap_target_10",
            "del xcap_target_100",
            "del xcap_target_1000",
            "del xcap_target_100000",
        ],
        "add xcap_target_10* limit=4",
    ),
    (&["start"], "stop"),
    (&["stop"], "start"),
    (&["backend=auto"], "backend=fprobe"),
    (&["backend=auto"], "backend=kretprobe"),
    (&["backend=fprobe"], "backend=auto"),
    (&["marks off"], "marks on 64"),
    (&["marks on 64"], "marks off"),
    (&["only all"], "only interface lo"),
    (&["only all"], "only pid 1"),
    (&["only pid 1"], "only all"),
    (&["transmit off"], "transmit on"),
    (&["transmit on"], "transmit off"),
    (&["start"], "calibrate"),
    (&["start"], "reset"),
];

const FILES: [&str; 5] = [STATS, PER_CPU, PROBES, CALIBRATION, MARKS];

/// More than there are places to fail at.
const FAR: u64 = 1 << 30;

pub fn is_possible() -> bool {
    fs::exists(NTH).unwrap_or(false)
}

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> Result<()> {
    for (attribute, value) in ATTRIBUTES {
        let path = format!("{DEBUGFS}/{attribute}");
        if fs::exists(&path)? {
            fs::write(&path, value).with_context(|| format!("'{value}' into {path}"))?;
        }
    }
    let few = stages::few();
    files::prepare(&few)?;
    let mut rng = Rng::with_seed(seed);
    let mut operations: Vec<Operation> = COMMANDS
        .map(|(before, command)| Operation::Command(before, command))
        .into_iter()
        .chain(FILES.map(Operation::Reading))
        .chain([Operation::Insmod])
        .collect();
    // Where the time is not enough for all, another seed has others.
    rng.shuffle(&mut operations);
    let mut sweep = Sweep {
        rounds,
        rng,
        left: operations.len(),
        survey: Survey::new()?,
        nth: OpenOptions::new().read(true).write(true).open(NTH)?,
        journal,
        watch,
    };
    for operation in operations {
        match operation {
            Operation::Command(before, command) => sweep.of_command(before, command)?,
            Operation::Reading(file) => {
                // Else there are none to read.
                let prepare = || {
                    if file == MARKS {
                        files::must("marks on")
                    } else {
                        Ok(())
                    }
                };
                let read = || fs::read(file).map(drop).map_err(|_| Errno::EIO);
                sweep.of(file, prepare, read)?;
            }
            Operation::Insmod => {
                // Probes that an operation before left may keep xcap.
                sweep.of("insmod", rest::gone, || files::load("auto", &few))?;
                rest::gone()?;
                files::load("auto", &few).context("insmod at last")?;
            }
        }
        if sweep.rounds.is_over() {
            break;
        }
    }
    Ok(())
}

/// What is done with a failure in it.
enum Operation {
    /// After these others, as far as they are taken.
    Command(&'static [&'static str], &'static str),
    Reading(&'static str),
    Insmod,
}

struct Sweep<'a> {
    rounds: &'a mut Rounds,
    rng: Rng,
    /// Operations that are still to come.
    left: usize,
    survey: Survey,
    nth: File,
    journal: &'a Journal,
    watch: &'a Watch,
}

impl Sweep<'_> {
    fn of_command(&mut self, before: &[&str], command: &str) -> Result<()> {
        let prepare = || {
            for word in before {
                // It is so already, or it is told by what comes of the command.
                let _ = files::must(word);
            }
            Ok(())
        };
        self.of(command, prepare, || {
            let control = files::open_control()?;
            files::command(&control, command.as_bytes())
        })?;
        prepare()?;
        for word in [command, "stop", "start"] {
            files::must(word).with_context(|| format!("after '{command}' with failures"))?;
        }
        Ok(())
    }

    /// Does it again and again, each time with another failure, until each place has failed or the time is over that
    /// this operation has.
    fn of(
        &mut self,
        what: &str,
        prepare: impl Fn() -> Result<()>,
        mut act: impl FnMut() -> Result<(), Errno>,
    ) -> Result<()> {
        let share = self.rounds.time_left() / self.left as u32;
        self.left -= 1;
        let begun = Instant::now();
        prepare()?;
        let stacks = self.stacks(what, &mut act)?;
        let mut swept = Swept::of(what, &stacks);
        for number in places::in_turns(&stacks, &mut self.rng) {
            if (swept.failed > 0 && begun.elapsed() >= share) || self.rounds.next().is_none() {
                break;
            }
            prepare()?;
            self.journal.note(&format!("{what}, failure {number}"));
            // Whatever it answers, it is sound afterwards.
            let (_, met) = self.survey.of(|| self.failing(number, what, &mut act))?;
            // The last that was met is where it failed, if it came so far.
            if let Some(stack) = met.get(number as usize - 1) {
                swept.fail(*stack);
            }
            if let Err(e) = sound(what) {
                self.journal
                    .fail(format!("{what}, failure {number}: {e:#}"));
            }
        }
        self.journal.sweep(swept);
        Ok(())
    }

    /// By which call stack the kernel comes to each place at which it can fail.
    fn stacks(
        &self,
        what: &str,
        act: &mut impl FnMut() -> Result<(), Errno>,
    ) -> Result<places::Stacks> {
        let count = || {
            let (answer, left) = self.failing(FAR, what, act)?;
            answer.with_context(|| format!("{what}, without a failure"))?;
            Ok(FAR - left)
        };
        let (places, mut stacks) = self.survey.of(count)?;
        ensure!(
            stacks.len() as u64 >= places,
            "{what}: the kernel counted {places} places, {} were seen",
            stacks.len()
        );
        stacks.truncate(places as usize);
        Ok(stacks)
    }

    /// Does it while the `number`-th place fails: what came of it, and how many more there would have to be.
    fn failing(
        &self,
        number: u64,
        what: &str,
        act: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(Result<(), Errno>, u64)> {
        self.nth.write_at(number.to_string().as_bytes(), 0)?;
        let answer = self.watch.during(what, act);
        let mut text = [0; 16];
        // Reading may be it itself.
        let length = self.nth.read_at(&mut text, 0).unwrap_or(0);
        // The last place may be in this very write, which comes to its end without one.
        let ended = self.nth.write_at(b"0", 0);
        ended.or_else(|_| self.nth.write_at(b"0", 0))?;
        let text = String::from_utf8_lossy(&text[..length]);
        Ok((answer, text.trim().parse().unwrap_or(0)))
    }
}

/// Figures don't contradict each other, and what doesn't start or stop xcap left it recording.
fn sound(what: &str) -> Result<()> {
    let recording = files::stats()?.and_then(|stats| stats.recording);
    ensure!(
        ["start", "stop"].contains(&what) || recording != Some(false),
        "xcap no longer records"
    );
    Ok(())
}
