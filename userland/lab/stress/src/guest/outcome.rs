// SPDX-License-Identifier: GPL-2.0

//! What a workload in a guest tells the host: a line of JSON.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub rounds: u64,
    pub failures: Vec<String>,
    /// Why nothing was done.
    pub skipped: Option<String>,
    #[serde(default)]
    pub swept: Vec<Swept>,
}

/// How far the failures of an operation went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Swept {
    pub operation: String,
    /// At which it can fail.
    pub places: u64,
    /// Of these, those at which it did.
    pub failed: u64,
    /// Call stacks by which the kernel comes to the places.
    pub stacks: u64,
    /// Of these, those at a place of which it failed.
    pub stacks_failed: u64,
    #[serde(skip)]
    known: HashSet<u32>,
    #[serde(skip)]
    seen: HashSet<u32>,
}

impl Swept {
    /// Nothing yet of this operation, of whose places these are the stacks.
    pub fn of(operation: &str, stacks: &[u32]) -> Self {
        let known: HashSet<u32> = stacks.iter().copied().collect();
        Self {
            operation: operation.to_owned(),
            places: stacks.len() as u64,
            stacks: known.len() as u64,
            known,
            ..Self::default()
        }
    }

    /// It failed at a place of this stack, which another time may have been elsewhere, or nowhere.
    pub fn fail(&mut self, stack: u32) {
        self.known.insert(stack);
        self.seen.insert(stack);
        self.failed += 1;
        self.stacks = self.known.len() as u64;
        self.stacks_failed = self.seen.len() as u64;
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} of {} places failed, {} of {} stacks",
            self.operation, self.failed, self.places, self.stacks_failed, self.stacks
        )
    }
}

impl Outcome {
    /// Nothing was done.
    pub fn skipped(why: &str) -> Self {
        Self {
            skipped: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// Tells the host.
    pub fn print(&self) {
        let line = serde_json::to_string(self).expect("numbers and strings");
        // Where nobody reads any more, nobody is to be told.
        let _ = xcap_output::print(&format!("{line}\n"));
    }
}
