// SPDX-License-Identifier: GPL-2.0

//! The CPU's own counters, where this machine lets them be read.

use anyhow::{Context, Result};
use perf_event::events::{Hardware, Raw};
use perf_event::{Builder, Counter, Group};
use std::arch::x86_64::__cpuid;

/// AMD from Zen on: near returns that were mispredicted (PMCx0C9).
const AMD_RETURNS_MISPREDICTED: u64 = 0xc9;

pub struct Counters {
    group: Group,
    cycles: Counter,
    instructions: Counter,
    mispredicts: Counter,
    returns: Option<Counter>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub cycles: f64,
    pub instructions: f64,
    pub mispredicts: f64,
    pub mispredicted_returns: Option<f64>,
}

/// Whether the vendor is AMD, whose event this knows.
fn is_amd() -> bool {
    // Of leaf 0 the vendor's name: "Auth" "enti" "cAMD".
    __cpuid(0).ebx == u32::from_le_bytes(*b"Auth")
}

impl Counters {
    pub fn open() -> Result<Self> {
        let mut group = Group::new().context("perf_event_open() refuses")?;
        let mut add = |event: Hardware| {
            group
                .add(&Builder::new(event))
                .with_context(|| "no PMU here, or kernel.perf_event_paranoid is too high")
        };
        let cycles = add(Hardware::CPU_CYCLES)?;
        let instructions = add(Hardware::INSTRUCTIONS)?;
        let mispredicts = add(Hardware::BRANCH_MISSES)?;
        let returns = is_amd()
            .then(|| {
                group
                    .add(&Builder::new(Raw::new(AMD_RETURNS_MISPREDICTED)))
                    .ok()
            })
            .flatten();
        Ok(Self {
            group,
            cycles,
            instructions,
            mispredicts,
            returns,
        })
    }

    /// What `work` takes.
    pub fn of(&mut self, work: impl FnOnce()) -> Result<Counts> {
        self.group.reset()?;
        self.group.enable()?;
        work();
        self.group.disable()?;
        let read = self.group.read()?;
        Ok(Counts {
            cycles: read[&self.cycles] as f64,
            instructions: read[&self.instructions] as f64,
            mispredicts: read[&self.mispredicts] as f64,
            mispredicted_returns: self.returns.as_ref().map(|one| read[one] as f64),
        })
    }
}
