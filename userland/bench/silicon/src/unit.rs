// SPDX-License-Identifier: GPL-2.0

//! The assembled units: one for each form of return (asm/table.S).

use crate::layout::{DEPTHS, WORK, XCAP_DIRECT_SLOT_SIZE};
use serde::{Deserialize, Serialize};

/// Functions to probe: the empty one, and of each of [`WORK`] one of each kind.
pub const LEAVES: usize = 1 + KINDS.len() * WORK.len();

/// What functions of known length do (asm/chains.S).
pub const KINDS: [&str; 4] = ["plain", "dependent", "fenced", "clocked"];

/// Calls a chain of functions so often.
pub type Driver = unsafe extern "C" fn(calls: u64);

/// What asm/table.S lays out.
#[repr(C)]
pub struct Unit {
    pub scramble: unsafe extern "C" fn(seed: u64),
    slots: *mut u8,
    layout: &'static Layout,
    /// What a slot calls where livepatch may say where a function goes on.
    pub shared: *const u8,
    /// Where a slot goes on that was jumped to, and one that was called.
    pub back: *const u8,
    pub called_back: *const u8,
    pub floor: *const u8,
    pub bpf_fexit_call: *const u8,
    pub bpf_fexit_jump: *const u8,
    pub fgraph: *const u8,
    pub rethook: *const u8,
    pub leaves: [*const u8; LEAVES],
    pub empty: Driver,
    /// What calibration takes, besides.
    pub known: *const u8,
    pub call_known: Driver,
    pub chains_of: [[Driver; DEPTHS.len()]; 3],
    pub nested: [[Nested; LEAVES]; DEPTHS.len()],
}

/// A chain whose outermost caller can be probed.
#[repr(C)]
pub struct Nested {
    pub outer: *const u8,
    pub driver: Driver,
}

// SAFETY: A table of addresses that never changes.
unsafe impl Sync for Unit {}

/// Where things lie in a slot of the direct backend (struct xcap_direct_layout in kmod/helpers.h).
#[repr(C)]
struct Layout {
    call: u32,
    back: u32,
    counted: u32,
    rest: u32,
    away: u32,
}

/// How the functions of a kernel return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returns {
    /// By `ret`.
    Plain,
    /// By a jump to a `ret` elsewhere.
    Thunk,
    /// By a jump to a `ret` that the CPU never predicts (AMD's safe-ret).
    SafeRet,
}

impl Returns {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Thunk, Self::SafeRet];

    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Thunk => "thunk",
            Self::SafeRet => "safe-ret",
        }
    }
}

/// What the callers above a probed function do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callers {
    /// Each calls the next, once.
    Straight,
    /// The innermost hits eight times.
    Loop,
    /// Each has other callees, too, some of them now and then.
    Mixed,
}

impl Callers {
    pub const ALL: [Self; 3] = [Self::Straight, Self::Loop, Self::Mixed];

    pub fn word(self) -> &'static str {
        match self {
            Self::Straight => "straight",
            Self::Loop => "loop",
            Self::Mixed => "mixed",
        }
    }

    /// Hits a call of the driver (LOOP_HITS in asm/chains.S).
    pub fn hits(self) -> u64 {
        match self {
            Self::Loop => 8,
            _ => 1,
        }
    }
}

impl Unit {
    fn in_slot(&self, slot: usize, offset: u32) -> *mut u8 {
        self.slots
            .wrapping_add(slot * XCAP_DIRECT_SLOT_SIZE + offset as usize)
    }

    /// Where a function enters a slot.
    pub fn slot(&self, slot: usize) -> *const u8 {
        self.in_slot(slot, 0)
    }

    /// The call in a slot that goes to a function's rest.
    pub fn slot_call(&self, slot: usize) -> *const u8 {
        self.in_slot(slot, self.layout.call)
    }

    /// The jump in a slot that goes on when the function has returned.
    pub fn slot_back(&self, slot: usize) -> *const u8 {
        self.in_slot(slot, self.layout.back)
    }

    pub fn driver(&self, callers: Callers, depth: usize) -> Driver {
        self.chains_of[callers as usize][depth]
    }
}
