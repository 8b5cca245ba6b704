// SPDX-License-Identifier: GPL-2.0

//! What was recorded between the markers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub reads: u64,
    pub writes: u64,
}

impl Count {
    pub fn accesses(self) -> u64 {
        self.reads + self.writes
    }
}

/// One CPU's accesses to one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touches {
    /// A virtual address that it used.
    pub address: u64,
    /// By the address of the instruction.
    pub by: BTreeMap<u64, Count>,
}

impl Touches {
    pub fn count(&self) -> Count {
        Count {
            reads: self.by.values().map(|count| count.reads).sum(),
            writes: self.by.values().map(|count| count.writes).sum(),
        }
    }
}

/// A line that all CPUs touched, and at least one wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Physical address of its first byte.
    pub physical: u64,
    pub cpus: Vec<Touches>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Accesses to memory that the CPUs made, and those of them made while all were between their markers.
    pub accesses: u64,
    pub together: u64,
    pub lines: Vec<Line>,
}
