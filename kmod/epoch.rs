// SPDX-License-Identifier: GPL-2.0

//! From when on calls count: those that began before `start` or `reset`, or end after `stop`, don't.
//!
//! No clock decides that. Each CPU has a stamp, which changes whenever it switches tasks and
//! whenever the epoch closes, and no other CPU ever has. A call keeps the stamp of its entry; at
//! its return the hot path compares it with the CPU's, and no more. While the epoch is closed,
//! calls keep what is no CPU's stamp: whatever returns is a matter for the slow path.

use super::{bindings::xcap_cpu, cpu};

/// Number of the low bits of a stamp that count; the rest is the CPU's number.
const CPU_SHIFT: u32 = 48;

/// The number of no CPU.
const NO_CPU: u64 = u64::MAX >> CPU_SHIFT;

/// What calls keep while the epoch is closed. It is counted up as stamps are.
const CLOSED: u64 = NO_CPU << CPU_SHIFT;

/// No stamp is as great.
const NEVER: u64 = u64::MAX;

/// What a stamp says of a call that has returned.
#[derive(PartialEq)]
pub(crate) enum Began {
    /// Since the epoch was opened.
    Within,
    /// When none was open.
    Closed,
    /// In an earlier one, or in this one that is closed again.
    Before,
}

/// The CPU that a stamp was made on.
pub(crate) fn stamp_cpu(stamp: u64) -> u64 {
    stamp >> CPU_SHIFT
}

/// When the call that kept `stamp` began. Preemption is off.
#[inline(always)]
pub(crate) fn began(stamp: u64) -> Began {
    if stamp_cpu(stamp) == NO_CPU {
        return Began::Closed;
    }
    let cpu = cpu::part_of(&raw mut xcap_cpu, stamp_cpu(stamp) as u32);
    // SAFETY: It is a stamp, so that there is such a CPU; the word is written whole.
    let opened = unsafe { (&raw const (*cpu).opened).read_volatile() };
    if stamp >= opened {
        Began::Within
    } else {
        Began::Before
    }
}

/// Gives every CPU its first stamp. The epoch is closed.
///
/// To be called before anything reads or changes stamps.
pub(crate) fn init() {
    for cpu in cpu::possible() {
        let totals = cpu::part_of(&raw mut xcap_cpu, cpu);
        // SAFETY: Every possible CPU has such a variable, which nobody else uses yet.
        unsafe {
            (*totals).stamp = u64::from(cpu) << CPU_SHIFT;
            (*totals).entry = CLOSED;
            (*totals).opened = NEVER;
        }
    }
}

/// From here on no call counts, and none is being recorded any more.
pub(crate) fn close() {
    cpu::on_each_part(&raw mut xcap_cpu, |cpu| {
        // SAFETY: The CPU's own, which can't switch tasks meanwhile. What interrupts it all the
        // same (NMI) finds a call of its own recorded before, or left out after.
        unsafe {
            (&raw mut (*cpu).opened).write_volatile(NEVER);
            let stamp = (*cpu).stamp.wrapping_add(1);
            (&raw mut (*cpu).stamp).write_volatile(stamp);
            (&raw mut (*cpu).entry).write_volatile(CLOSED);
        }
    });
    // Samples are recorded with preemption off, which RCU waits for.
    // SAFETY: Called from process context, outside RCU's read side.
    unsafe { kernel::bindings::synchronize_rcu() };
}

/// Calls that begin from here on count.
pub(crate) fn open() {
    cpu::on_each_part(&raw mut xcap_cpu, |cpu| {
        // SAFETY: As in `close`.
        unsafe {
            let stamp = (*cpu).stamp;
            (&raw mut (*cpu).opened).write_volatile(stamp);
            (&raw mut (*cpu).entry).write_volatile(stamp);
        }
    });
}
