// SPDX-License-Identifier: GPL-2.0

//! What is measured: a loop of `umask()` calls, as in the paper.

use nix::sys::stat::{umask, Mode};
use std::time::Duration;

/// The kernel's function behind `umask()`.
pub const UMASK: &str = "__x64_sys_umask";

/// Calls in a batch: on the deterministic machine, few enough that most batches see no timer interrupt.
const BATCH: u32 = 500;

/// Batches whose median counts.
const BATCHES: usize = 61;

/// Calls that [`Loop::cycles_per_call`] makes.
pub const CALLS: u64 = BATCH as u64 * BATCHES as u64;

pub fn rdtsc() -> u64 {
    // SAFETY: Every x86-64 processor has the instruction, and Linux lets user mode use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

pub fn batch(calls: u32) {
    let mask = Mode::from_bits_truncate(0o022);
    for _ in 0..calls {
        umask(mask);
    }
}

/// Calls `umask()` and counts how often it did.
#[derive(Default)]
pub struct Loop {
    pub calls: u64,
}

impl Loop {
    /// TSC cycles that a call takes, its loop included: the median of many batches.
    pub fn cycles_per_call(&mut self) -> f64 {
        let mut costs: Vec<u64> = (0..BATCHES)
            .map(|_| {
                let begin = rdtsc();
                batch(BATCH);
                rdtsc() - begin
            })
            .collect();
        self.calls += CALLS;
        costs.sort_unstable();
        costs[BATCHES / 2] as f64 / f64::from(BATCH)
    }

    /// As [`Loop::cycles_per_call`], once nothing else changes the figure any more.
    ///
    /// After boot, and after a tool was started, the machine has other work for a while.
    pub fn settled(&mut self) -> f64 {
        const PAUSE: Duration = Duration::from_millis(500);
        const TRIES: u32 = 40;
        let mut before = self.cycles_per_call();
        for _ in 0..TRIES {
            std::thread::sleep(PAUSE);
            let now = self.cycles_per_call();
            if (now - before).abs() <= 0.002 * before {
                return now;
            }
            before = now;
        }
        before
    }
}
