// SPDX-License-Identifier: GPL-2.0

//! From when on calls count: those that began before `start` or `reset`, or end after `stop`, don't.
//!
//! The hot path does not look at the epoch. It looks at the CPU's stamp, which changes on every CPU
//! whenever the epoch does; only a call whose stamp changed compares its entry with the epoch.

use super::cpu;
use core::sync::atomic::{AtomicU64, Ordering};

/// TSC at the entry of the first call that counts. `u64::MAX`: none does.
static EPOCH: AtomicU64 = AtomicU64::new(u64::MAX);

/// The epoch's TSC.
#[inline(always)]
pub(crate) fn current() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

/// From here on no call counts, and none is being recorded any more.
pub(crate) fn close() {
    EPOCH.store(u64::MAX, Ordering::SeqCst);
    cpu::bump_all_stamps();
    // Samples are recorded with preemption off, which RCU waits for.
    // SAFETY: Called from process context, outside RCU's read side.
    unsafe { kernel::bindings::synchronize_rcu() };
}

/// Calls that begin from here on count.
pub(crate) fn open() {
    EPOCH.store(cpu::rdtsc(), Ordering::SeqCst);
    cpu::bump_all_stamps();
}
