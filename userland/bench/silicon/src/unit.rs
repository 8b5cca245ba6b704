// SPDX-License-Identifier: GPL-2.0

//! The assembled units: one for each form of return (asm/table.S).

use serde::{Deserialize, Serialize};

include!(concat!(env!("OUT_DIR"), "/layout.rs"));

/// Calls a chain of functions so often.
pub type Driver = unsafe extern "C" fn(calls: u64);

/// What asm/table.S lays out.
#[repr(C)]
pub struct Unit {
    pub chains: [*const u8; 2],
    pub scramble: unsafe extern "C" fn(seed: u64),
    pub slots: *const u8,
    pub returns: *const u8,
    pub floor: *const u8,
    pub bpf_fexit_call: *const u8,
    pub bpf_fexit_jump: *const u8,
    pub fgraph: *const u8,
    pub rethook: *const u8,
    pub leaves: [*const u8; WORK.len()],
    pub empty: Driver,
    pub chains_of: [[Driver; DEPTHS.len()]; 3],
    pub nested: [[Nested; WORK.len()]; DEPTHS.len()],
}

/// A chain whose outermost caller can be probed.
#[repr(C)]
pub struct Nested {
    pub outer: *const u8,
    pub driver: Driver,
}

// SAFETY: A table of addresses that never changes.
unsafe impl Sync for Unit {}

extern "C" {
    static silicon_plain: Unit;
    static silicon_thunk: Unit;
    static silicon_safe_ret: Unit;
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

    pub fn unit(self) -> &'static Unit {
        // SAFETY: Made by the assembler, and never written to.
        unsafe {
            match self {
                Self::Plain => &silicon_plain,
                Self::Thunk => &silicon_thunk,
                Self::SafeRet => &silicon_safe_ret,
            }
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
    pub fn driver(&self, callers: Callers, depth: usize) -> Driver {
        self.chains_of[callers as usize][depth]
    }
}
