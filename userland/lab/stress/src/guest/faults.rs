// SPDX-License-Identifier: GPL-2.0

//! Each allocation and each access to user memory of each operation fails once, those that the kernel comes to in
//! different ways first, as far as the time does.
//!
//! `fail-nth` has the n-th of a task fail, whatever else goes on. The attributes' defaults let pass whatever may
//! sleep, which is all that xcap allocates: `ignore-gfp-wait` has to be off.

use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::operations::{self, Act, Operation};
use crate::guest::outcome::Swept;
use crate::guest::places::{self, Survey};
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::{ensure, Context, Result};
use fastrand::Rng;
use nix::errno::Errno;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

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
    let mut operations = operations::all();
    // Where the time is not enough for all, another seed has others.
    rng.shuffle(&mut operations);
    let mut sweep = Sweep {
        rounds,
        rng,
        survey: Survey::new()?,
        nth: OpenOptions::new().read(true).write(true).open(NTH)?,
        journal,
        watch,
        few,
    };
    let outcome = sweep.of_all(&mut operations);
    for swept in operations
        .into_iter()
        .filter_map(|operation| operation.swept)
    {
        journal.sweep(swept);
    }
    outcome
}

struct Sweep<'a> {
    rounds: &'a mut Rounds,
    rng: Rng,
    survey: Survey,
    nth: File,
    journal: &'a Journal,
    watch: &'a Watch,
    /// The stages that xcap is loaded with.
    few: String,
}

impl Sweep<'_> {
    /// One place of each call stack of each operation, then the others. Operations that are not through have equal
    /// shares of the time that is left, again and again.
    fn of_all(&mut self, operations: &mut [Operation]) -> Result<()> {
        for all in [false, true] {
            loop {
                let open = operations
                    .iter_mut()
                    .filter(|operation| operation.is_open(all));
                let mut open: Vec<_> = open.collect();
                if open.is_empty() {
                    break;
                }
                let mut left = open.len() as u32;
                for operation in &mut open {
                    if self.rounds.is_over() {
                        return Ok(());
                    }
                    let share = self.rounds.time_left() / left;
                    left -= 1;
                    self.of(operation, share, all)?;
                }
            }
        }
        Ok(())
    }

    /// Does it again and again, each time with another failure, for as long as its share is: once at least.
    fn of(&mut self, operation: &mut Operation, share: Duration, all: bool) -> Result<()> {
        let begun = Instant::now();
        let act = operation.act;
        act.prepare()?;
        if operation.order.is_none() {
            let stacks = self.stacks(act)?;
            let swept = Swept::of(act.name(), &stacks);
            operation.first = swept.stacks as usize;
            operation.swept = Some(swept);
            operation.order = Some(places::in_turns(&stacks, &mut self.rng));
        }
        let Some((order, swept)) = operation.order.as_ref().zip(operation.swept.as_mut()) else {
            return Ok(());
        };
        let most = if all { order.len() } else { operation.first };
        for &number in &order[operation.done..most] {
            if self.rounds.next().is_none() {
                break;
            }
            operation.done += 1;
            act.prepare()?;
            let what = act.name();
            self.journal.note(&format!("{what}, failure {number}"));
            // Whatever it answers, it is sound afterwards.
            let (_, met) = self.survey.of(|| self.failing(number, act))?;
            // The last that was met is where it failed, if it came so far.
            if let Some(stack) = met.get(number as usize - 1) {
                swept.fail(*stack);
            }
            if let Err(e) = sound(what) {
                self.journal
                    .fail(format!("{what}, failure {number}: {e:#}"));
            }
            if begun.elapsed() >= share {
                break;
            }
        }
        act.works(&self.few)
    }

    /// By which call stack the kernel comes to each place at which it can fail.
    fn stacks(&self, act: Act) -> Result<places::Stacks> {
        let count = || {
            let (answer, left) = self.failing(FAR, act)?;
            answer.with_context(|| format!("{}, without a failure", act.name()))?;
            Ok(FAR - left)
        };
        let (places, mut stacks) = self.survey.of(count)?;
        ensure!(
            stacks.len() as u64 >= places,
            "{}: the kernel counted {places} places, {} were seen",
            act.name(),
            stacks.len()
        );
        stacks.truncate(places as usize);
        Ok(stacks)
    }

    /// Does it while the `number`-th place fails: what came of it, and how many more there would have to be.
    fn failing(&self, number: u64, act: Act) -> Result<(Result<(), Errno>, u64)> {
        self.nth.write_at(number.to_string().as_bytes(), 0)?;
        let answer = self.watch.during(act.name(), || act.perform(&self.few));
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
