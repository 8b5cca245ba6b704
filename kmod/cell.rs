// SPDX-License-Identifier: GPL-2.0

//! Where the samples of one probe land on one CPU, and what travels with a call.

use super::{
    bindings::*,
    cpu::{self, PerCpu},
    epoch::{self, Began},
    nokprobe::nokprobe,
};
use crate::abi::histogram;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::ffi::c_int;

/// One probe's counters on one CPU, written by that CPU alone.
///
/// kmod/cell.h says which word is what; kmod/hot_path.S, which writes most of it, in which order.
#[repr(C, align(64))]
pub(crate) struct Cell {
    words: [u64; XCAP_CELL_HISTOGRAM as usize / 8],
    raw_histogram: [u64; histogram::RAW_BUCKETS],
}

/// The offset of a word of [`Cell`], in bytes, by its name in kmod/cell.h.
macro_rules! at {
    ($word:ident) => {
        kernel::macros::paste! { $crate::kmod::bindings::[<XCAP_CELL_ $word:upper>] as usize }
    };
}
pub(crate) use at;

const _: () = assert!(Cell::HISTOGRAM == XCAP_CELL_HISTOGRAM as usize);

impl Cell {
    /// The offset of the histogram, in bytes: all before it are words.
    pub(crate) const HISTOGRAM: usize = offset_of!(Cell, raw_histogram);

    /// The word `OFFSET` bytes into the cell.
    pub(crate) fn word<const OFFSET: usize>(&self) -> u64 {
        self.words[OFFSET / 8]
    }

    /// Sets that word.
    pub(crate) fn set<const OFFSET: usize>(&mut self, value: u64) {
        self.words[OFFSET / 8] = value;
    }

    /// Where that word is.
    pub(crate) fn at<const OFFSET: usize>(cell: *mut Self) -> *mut u64 {
        cell.wrapping_byte_add(OFFSET).cast()
    }

    /// A raw bucket that no sample falls in, as 1 is all that is in its group.
    const NOT_A_BUCKET: usize = histogram::RAW_BUCKETS - 1;

    /// Samples by raw bucket.
    pub(crate) fn raw_histogram(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let pending = (self.word::<{ at!(pending) }>() - histogram::SUB_BUCKETS) as usize;
        let counted = self.raw_histogram[..Self::NOT_A_BUCKET].iter().enumerate();
        counted.map(move |(raw, &count)| (raw, count.wrapping_add(u64::from(raw == pending))))
    }

    /// No samples by raw bucket.
    pub(crate) fn clear_histogram(&mut self) {
        self.raw_histogram.fill(0);
        // In this word, raw buckets' numbers begin with `SUB_BUCKETS`.
        self.set::<{ at!(pending) }>(Self::NOT_A_BUCKET as u64 + histogram::SUB_BUCKETS);
    }
}

/// What travels with one call, from its entry to its return.
#[repr(C)]
pub(crate) struct Frame {
    pub(crate) tsc: u64,
    overhead: u64,
    nested: u64,
    pub(crate) stamp: u64,
    pub(crate) cell: *mut Cell,
}

const _: () = {
    assert!(offset_of!(Frame, overhead) == XCAP_FRAME_OVERHEAD as usize);
    assert!(offset_of!(Frame, nested) == XCAP_FRAME_NESTED as usize);
    assert!(offset_of!(Frame, stamp) == XCAP_FRAME_STAMP as usize);
    assert!(offset_of!(Frame, cell) == XCAP_FRAME_CELL as usize);
    assert!(offset_of!(Frame, tsc) == XCAP_FRAME_TSC as usize);
    assert!(core::mem::size_of::<Frame>() == XCAP_FRAME_SIZE as usize);
};

extern "C" {
    /// Records a sample of `cycles` for the call of `frame`. Returns 0, as handlers do. In
    /// kmod/hot_path.S.
    ///
    /// # Safety
    ///
    /// `frame` was filled by [`enter`] with a cell that still exists; preemption is off.
    fn xcap_record(frame: *const Frame, cycles: u64) -> c_int;

    /// The same, and of `work` what the cell's mask lets through.
    fn xcap_record_work(frame: *const Frame, cycles: u64, work: u64) -> c_int;
}

/// Counts an entry and starts the clock of `frame`.
///
/// # Safety
///
/// `cell` is per-CPU memory, `frame` is writable.
#[inline(always)]
pub(crate) unsafe fn enter(cell: *mut Cell, frame: *mut Frame) {
    // SAFETY: `cell` is per-CPU memory by the caller's promise; the totals are read by one
    // instruction each.
    unsafe {
        cpu::increment::<{ at!(entries) }, _>(cell);
        let here = cpu::Totals::at_entry();
        frame.write(Frame {
            overhead: here.overhead,
            nested: here.nested,
            stamp: here.stamp,
            cell,
            tsc: cpu::rdtsc(),
        });
    }
}

/// Ends the call of `frame` at `now`. Returns 0, as handlers do.
///
/// # Safety
///
/// `frame` was filled by [`enter`] with a cell that still exists; preemption is off.
#[inline(always)]
pub(crate) unsafe fn leave(frame: *const Frame, now: u64) -> c_int {
    // SAFETY: The caller's promises are those of `xcap_record`.
    unsafe { xcap_record(frame, now.wrapping_sub((*frame).tsc)) }
}

/// The same for a call that did `work`.
///
/// # Safety
///
/// As for [`leave`].
#[inline(always)]
pub(crate) unsafe fn leave_with(frame: *const Frame, now: u64, work: u64) -> c_int {
    // SAFETY: The caller's promises are those of `xcap_record_work`.
    unsafe { xcap_record_work(frame, now.wrapping_sub((*frame).tsc), work) }
}

/// What [`xcap_record`] and the trampolines leave out: samples of 2^32 cycles and more, and those
/// of calls in which the CPU's stamp changed. Where no work is counted, `work` is anything: the
/// cell's mask lets none through.
///
/// # Safety
///
/// As for `xcap_record`.
#[no_mangle]
unsafe extern "C" fn xcap_record_slow(frame: *const Frame, cycles: u64, work: u64) -> c_int {
    // SAFETY: By the caller's promise both exist, and this code stays on its CPU. Each update
    // is one instruction on this CPU's part; the order is kmod/hot_path.S's.
    unsafe {
        let frame = &*frame;
        let cell = frame.cell;
        let here = PerCpu::here(cell);
        match epoch::began(frame.stamp) {
            Began::Within => {}
            Began::Before => {
                cpu::increment::<{ at!(straddled) }, _>(cell);
                return 0;
            }
            Began::Closed => {
                // It was an entry as long as it could return here.
                cpu::add::<{ at!(entries) }, _>(cell, u64::MAX);
                return 0;
            }
        }
        if (cycles as i64) < 0 {
            cpu::increment::<{ at!(negative) }, _>(cell);
            return 0;
        }
        let bucket = histogram::raw_bucket(cycles);
        cpu::increment::<0, _>(&raw mut (*cell).raw_histogram[bucket]);
        cpu::add::<{ at!(sum) }, _>(cell, cycles);
        let square = u128::from(cycles) * u128::from(cycles);
        cpu::add_wide(Cell::at::<{ at!(sumsq) }>(cell).cast(), square);
        if cycles == 0 {
            cpu::increment::<{ at!(zeros) }, _>(cell);
        } else {
            AtomicU64::from_ptr(Cell::at::<{ at!(min) }>(here))
                .fetch_min(cycles, Ordering::Relaxed);
        }
        AtomicU64::from_ptr(Cell::at::<{ at!(max) }>(here)).fetch_max(cycles, Ordering::Relaxed);
        let totals = cpu::Totals::at_return();
        let nested = totals.nested.wrapping_sub(frame.nested);
        if totals.stamp == frame.stamp && nested <= cycles {
            let alone = cycles - nested;
            let overhead = totals.overhead.wrapping_sub(frame.overhead);
            let outside = overhead & u64::from(u32::MAX);
            cpu::add::<{ at!(self_sum) }, _>(cell, alone);
            cpu::add::<{ at!(nested_outside) }, _>(cell, outside);
            cpu::add::<{ at!(nested_cost) }, _>(cell, overhead >> 32);
            cpu::Totals::add(
                alone,
                Cell::at::<{ at!(costs) }>(here)
                    .read()
                    .wrapping_sub(outside),
            );
        } else if epoch::stamp_cpu(totals.stamp) != epoch::stamp_cpu(frame.stamp) {
            cpu::increment::<{ at!(migrated) }, _>(cell);
        } else {
            cpu::increment::<{ at!(switched) }, _>(cell);
        }
        cpu::add::<{ at!(work) }, _>(cell, work & Cell::at::<{ at!(work_mask) }>(here).read());
        cpu::increment::<{ at!(done) }, _>(cell);
    }
    0
}

nokprobe!(xcap_record_slow);
