// SPDX-License-Identifier: GPL-2.0

//! What `faults` does with a failure in it, and how far it was with each.

use crate::guest::files;
use crate::guest::outcome::Swept;
use crate::guest::rest;
use anyhow::{Context, Result};
use nix::errno::Errno;
use std::fs;
use xcap_abi::paths::{CALIBRATION, MARKS, PER_CPU, PROBES, STATS};

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

/// Nothing of them has failed yet.
pub fn all() -> Vec<Operation> {
    let commands = COMMANDS.map(|(before, command)| Act::Command(before, command));
    let readings = FILES.map(Act::Reading);
    let acts = commands.into_iter().chain(readings).chain([Act::Insmod]);
    acts.map(Operation::of).collect()
}

/// What is done with a failure in it.
#[derive(Clone, Copy)]
pub enum Act {
    /// After these others, as far as they are taken.
    Command(&'static [&'static str], &'static str),
    Reading(&'static str),
    Insmod,
}

impl Act {
    /// As the journal and the results have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command(_, command) => command,
            Self::Reading(file) => file,
            Self::Insmod => "insmod",
        }
    }

    /// Does what has to be before.
    pub fn prepare(self) -> Result<()> {
        match self {
            Self::Command(before, _) => {
                for word in before {
                    // It is so already, or it is told by what comes of the command.
                    let _ = files::must(word);
                }
                Ok(())
            }
            // Else there are none to read.
            Self::Reading(MARKS) => files::must("marks on"),
            Self::Reading(_) => Ok(()),
            // Probes that an operation before left may keep xcap.
            Self::Insmod => rest::gone(),
        }
    }

    /// Does it, while a place fails.
    pub fn perform(self, few: &str) -> Result<(), Errno> {
        match self {
            Self::Command(_, command) => {
                let control = files::open_control()?;
                files::command(&control, command.as_bytes())
            }
            Self::Reading(file) => fs::read(file).map(drop).map_err(|_| Errno::EIO),
            Self::Insmod => files::load("auto", few),
        }
    }

    /// After failures, without one.
    pub fn works(self, few: &str) -> Result<()> {
        self.prepare()?;
        match self {
            Self::Command(_, command) => {
                for word in [command, "stop", "start"] {
                    files::must(word)
                        .with_context(|| format!("after '{command}' with failures"))?;
                }
                Ok(())
            }
            Self::Reading(_) => Ok(()),
            Self::Insmod => files::load("auto", few).context("insmod at last"),
        }
    }
}

/// What is swept, and how far it was.
pub struct Operation {
    pub act: Act,
    /// Numbers of its places, in the order in which they fail; none: not known yet.
    pub order: Option<Vec<u64>>,
    /// How many of them had their turn.
    pub done: usize,
    /// How many of them are the first of their call stack.
    pub first: usize,
    pub swept: Option<Swept>,
}

impl Operation {
    fn of(act: Act) -> Self {
        Self {
            act,
            order: None,
            done: 0,
            first: 0,
            swept: None,
        }
    }

    /// How many of its places are to fail, if of each call stack one is to, or all.
    fn most(&self, all: bool) -> usize {
        match &self.order {
            None => usize::MAX,
            Some(order) if all => order.len(),
            Some(_) => self.first,
        }
    }

    /// Whether more of them are to fail.
    pub fn is_open(&self, all: bool) -> bool {
        self.done < self.most(all)
    }
}
