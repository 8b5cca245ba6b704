// SPDX-License-Identifier: GPL-2.0

//! All CPUs' cells of one probe: what is fixed in them, what is read from them, how they are reset.

use super::{
    cell::{at, Cell},
    cpu::{self, PerCpu},
    scope::Scope,
    totals::{self, Totals},
};
use core::mem::size_of;
use core::sync::atomic::{compiler_fence, Ordering};
use kernel::{
    prelude::*,
    time::{delay::fsleep, Delta},
};

/// What is fixed for all CPUs of a probe while it is armed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Constants {
    /// What of the return value is work.
    pub(crate) work_mask: u64,
    /// Cycles that a hit costs outside its sample.
    pub(crate) outside: u32,
    /// Cycles that a hit costs in all.
    pub(crate) cost: u32,
    /// Cycles that a call costs which is out of scope.
    pub(crate) away: u32,
    /// How calls leave marks, where they do.
    pub(crate) marking: u64,
    /// Which calls count, where not all do.
    pub(crate) scope: Option<Scope>,
}

/// All CPUs' cells of one probe.
pub(crate) struct Cells(PerCpu<Cell>);

/// How often a reader tries to find a CPU between two samples.
const SNAPSHOT_TRIES: u32 = 50;

/// How long it leaves the CPU alone between two tries: each takes cells from its cache.
const SNAPSHOT_PAUSE: Delta = Delta::from_micros(20);

impl Cells {
    /// Cells with no samples.
    pub(crate) fn new() -> Result<Self> {
        let cells = Self(PerCpu::new()?);
        for cpu in cpu::possible() {
            // SAFETY: No probe knows these cells yet.
            unsafe { totals::reset(&mut *cells.0.of(cpu)) };
        }
        Ok(cells)
    }

    /// The per-CPU pointer.
    pub(crate) fn as_ptr(&self) -> *mut Cell {
        self.0.as_ptr()
    }

    /// Sets what is fixed while the probe is armed. To be called before it is.
    pub(crate) fn set_constants(&self, constants: Constants) {
        self.set_costs(constants.outside, constants.cost, constants.away);
        self.set_scope(constants.scope);
        for cpu in cpu::possible() {
            let cell = self.0.of(cpu);
            // SAFETY: The cell exists as long as `self`; handlers only read these fields, and none
            // runs before the probe is armed.
            unsafe {
                Cell::at::<{ at!(work_mask) }>(cell).write_volatile(constants.work_mask);
                Cell::at::<{ at!(marking) }>(cell).write_volatile(constants.marking);
            }
        }
    }

    /// Sets whose calls count. Where the probe is armed, no call of it may be entered meanwhile.
    pub(crate) fn set_scope(&self, scope: Option<Scope>) {
        let [scope, subject, interface] = scope.map_or([0; 3], Scope::words);
        for cpu in cpu::possible() {
            let cell = self.0.of(cpu);
            // SAFETY: The cell exists as long as `self`; handlers only read these fields.
            unsafe {
                Cell::at::<{ at!(scope) }>(cell).write_volatile(scope);
                Cell::at::<{ at!(scope_subject) }>(cell).write_volatile(subject);
                Cell::at::<{ at!(scope_interface) }>(cell).write_volatile(interface);
            }
        }
    }

    /// Sets what a hit costs: `outside` its sample, and `cost` in all; and one that is turned `away`.
    pub(crate) fn set_costs(&self, outside: u32, cost: u32, away: u32) {
        let costs = u64::from(cost) << 32 | u64::from(outside);
        let away = u64::from(away) << 32 | u64::from(away);
        for cpu in cpu::possible() {
            let cell = self.0.of(cpu);
            // SAFETY: The cell exists as long as `self`; handlers only read these fields, both
            // halves at once: those of calls in flight either the old or the new.
            unsafe {
                Cell::at::<{ at!(costs) }>(cell).write_volatile(costs);
                Cell::at::<{ at!(away_costs) }>(cell).write_volatile(away);
            }
        }
    }

    /// Counts `calls` that will never be seen to return.
    pub(crate) fn give_up(&self, calls: u64) {
        // SAFETY: The cells exist as long as `self`.
        unsafe { cpu::add::<{ at!(straddled) }, _>(self.as_ptr(), calls) }
    }

    /// Adds up all CPUs, each between two samples where that can be had.
    pub(crate) fn totals(&self) -> Result<Totals> {
        self.totals_of(cpu::possible())
    }

    /// The same of these CPUs.
    pub(crate) fn totals_of(&self, cpus: impl Iterator<Item = u32>) -> Result<Totals> {
        let mut totals = totals::none()?;
        // A cell is too large for the stack.
        let mut copy = KBox::<Cell>::new_uninit(GFP_KERNEL)?;
        for cpu in cpus {
            let mut tries = 0;
            loop {
                // SAFETY: Cells are plain integers, so that any copy is valid.
                let (consistent, cell) = unsafe {
                    let consistent = Self::copy(self.0.of(cpu), copy.as_mut_ptr());
                    (consistent, &*copy.as_ptr())
                };
                tries += 1;
                if consistent || tries == SNAPSHOT_TRIES {
                    totals.exact &= consistent;
                    totals::add(&mut totals, cell);
                    break;
                }
                fsleep(SNAPSHOT_PAUSE);
            }
        }
        totals.derive();
        totals.settle();
        Ok(totals)
    }

    /// Copies a cell, and says whether no sample was being recorded meanwhile.
    ///
    /// The CPU that records counts the histogram first and `done` last; stores and loads keep their
    /// order on x86. So if `done`, read first, equals the histogram's total, read last, every
    /// sample that touched what was read between them was complete before.
    ///
    /// # Safety
    ///
    /// `from` is a cell that other CPUs write to; `to` is writable.
    unsafe fn copy(from: *const Cell, to: *mut Cell) -> bool {
        // SAFETY: As promised by the caller. Volatile reads of aligned words are what the CPU does
        // whole.
        unsafe {
            let from = from.cast::<u64>();
            let to = to.cast::<u64>();
            let words = size_of::<Cell>() / 8;
            let done = at!(done) / 8;
            let histogram = Cell::HISTOGRAM / 8;
            to.add(done).write(from.add(done).read_volatile());
            compiler_fence(Ordering::SeqCst);
            for word in (0..histogram).filter(|&word| word != done) {
                to.add(word).write(from.add(word).read_volatile());
            }
            compiler_fence(Ordering::SeqCst);
            let mut total = 0u64;
            for word in histogram..words {
                let count = from.add(word).read_volatile();
                total = total.wrapping_add(count);
                to.add(word).write(count);
            }
            total == to.add(done).read()
        }
    }

    /// Forgets all samples. Calls in flight stay counted as entries.
    ///
    /// Call it when no sample is being recorded: the epoch is closed.
    pub(crate) fn reset(&self) {
        // SAFETY: `on_each_part` passes cells, which exist as long as `self`, and nobody else
        // writes to them meanwhile.
        cpu::on_each_part(self.as_ptr(), |cell| unsafe { totals::reset(&mut *cell) });
    }
}
