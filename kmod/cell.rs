// SPDX-License-Identifier: GPL-2.0

//! Where the samples of one probe land on one CPU, and what travels with a call.

use super::{
    bindings::*,
    cpu::{self, PerCpu},
    epoch,
    nokprobe::nokprobe,
};
use crate::abi::histogram;
use core::mem::offset_of;
use core::sync::atomic::{compiler_fence, AtomicU64, Ordering};
use kernel::{ffi::c_int, prelude::*};

/// One probe's counters on one CPU, written by that CPU alone.
///
/// kmod/hot_path.S, which writes most of it, says in which order.
#[repr(C, align(64))]
pub(crate) struct Cell {
    /// Calls entered.
    entries: u64,
    /// Samples whose recording is complete.
    done: u64,
    sum: u64,
    sumsq: [u64; 2],
    /// Of samples that are not 0.
    min: u64,
    max: u64,
    self_sum: u64,
    nested_outside: u64,
    nested_cost: u64,
    work: u64,
    /// What of the return value is work.
    work_mask: u64,
    /// What a hit costs: outside its sample; in the high half, in all.
    costs: u64,
    /// The raw bucket of the last sample that kmod/hot_path.S recorded, which is not counted yet.
    pending: u64,
    straddled: u64,
    negative: u64,
    migrated: u64,
    switched: u64,
    /// Samples of 0.
    zeros: u64,
    _pad: [u64; 5],
    raw_histogram: [u64; histogram::RAW_BUCKETS],
}

const _: () = {
    assert!(offset_of!(Cell, entries) == XCAP_CELL_ENTRIES as usize);
    assert!(offset_of!(Cell, done) == XCAP_CELL_DONE as usize);
    assert!(offset_of!(Cell, sum) == XCAP_CELL_SUM as usize);
    assert!(offset_of!(Cell, sumsq) == XCAP_CELL_SUMSQ as usize);
    assert!(offset_of!(Cell, min) == XCAP_CELL_MIN as usize);
    assert!(offset_of!(Cell, max) == XCAP_CELL_MAX as usize);
    assert!(offset_of!(Cell, self_sum) == XCAP_CELL_SELF_SUM as usize);
    assert!(offset_of!(Cell, nested_outside) == XCAP_CELL_NESTED_OUTSIDE as usize);
    assert!(offset_of!(Cell, nested_cost) == XCAP_CELL_NESTED_COST as usize);
    assert!(offset_of!(Cell, work) == XCAP_CELL_WORK as usize);
    assert!(offset_of!(Cell, work_mask) == XCAP_CELL_WORK_MASK as usize);
    assert!(offset_of!(Cell, costs) == XCAP_CELL_COSTS as usize);
    assert!(offset_of!(Cell, pending) == XCAP_CELL_PENDING as usize);
    assert!(offset_of!(Cell, straddled) == XCAP_CELL_STRADDLED as usize);
    assert!(offset_of!(Cell, negative) == XCAP_CELL_NEGATIVE as usize);
    assert!(offset_of!(Cell, migrated) == XCAP_CELL_MIGRATED as usize);
    assert!(offset_of!(Cell, switched) == XCAP_CELL_SWITCHED as usize);
    assert!(offset_of!(Cell, zeros) == XCAP_CELL_ZEROS as usize);
    assert!(offset_of!(Cell, raw_histogram) == XCAP_CELL_HISTOGRAM as usize);
};

/// A raw bucket that no sample falls in, as 1 is all that is in its group.
const NO_RAW_BUCKET: usize = histogram::RAW_BUCKETS - 1;

/// What `pending` is at first. There, numbers of raw buckets begin at `SUB_BUCKETS`.
const NO_BUCKET: u64 = NO_RAW_BUCKET as u64 + histogram::SUB_BUCKETS;

/// What travels with one call, from its entry to its return.
#[repr(C)]
pub(crate) struct Frame {
    tsc: u64,
    overhead: u64,
    nested: u64,
    stamp: u64,
    cell: *mut Cell,
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
        cpu::increment::<{ offset_of!(Cell, entries) }, _>(cell);
        let here = cpu::Totals::read();
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
        if frame.tsc < epoch::current() {
            cpu::increment::<{ offset_of!(Cell, straddled) }, _>(cell);
            return 0;
        }
        if (cycles as i64) < 0 {
            cpu::increment::<{ offset_of!(Cell, negative) }, _>(cell);
            return 0;
        }
        let bucket = histogram::raw_bucket(cycles);
        cpu::increment::<0, _>(&raw mut (*cell).raw_histogram[bucket]);
        cpu::add::<{ offset_of!(Cell, sum) }, _>(cell, cycles);
        let square = u128::from(cycles) * u128::from(cycles);
        cpu::add_wide(&raw mut (*cell).sumsq, square);
        if cycles == 0 {
            cpu::increment::<{ offset_of!(Cell, zeros) }, _>(cell);
        } else {
            AtomicU64::from_ptr(&raw mut (*here).min).fetch_min(cycles, Ordering::Relaxed);
        }
        AtomicU64::from_ptr(&raw mut (*here).max).fetch_max(cycles, Ordering::Relaxed);
        let totals = cpu::Totals::read();
        let nested = totals.nested.wrapping_sub(frame.nested);
        if totals.stamp == frame.stamp && nested <= cycles {
            let alone = cycles - nested;
            let overhead = totals.overhead.wrapping_sub(frame.overhead);
            let outside = overhead & u64::from(u32::MAX);
            cpu::add::<{ offset_of!(Cell, self_sum) }, _>(cell, alone);
            cpu::add::<{ offset_of!(Cell, nested_outside) }, _>(cell, outside);
            cpu::add::<{ offset_of!(Cell, nested_cost) }, _>(cell, overhead >> 32);
            cpu::Totals::add(alone, (*here).costs.wrapping_sub(outside));
        } else if cpu::stamp_cpu(totals.stamp) != cpu::stamp_cpu(frame.stamp) {
            cpu::increment::<{ offset_of!(Cell, migrated) }, _>(cell);
        } else {
            cpu::increment::<{ offset_of!(Cell, switched) }, _>(cell);
        }
        cpu::add::<{ offset_of!(Cell, work) }, _>(cell, work & (*here).work_mask);
        cpu::increment::<{ offset_of!(Cell, done) }, _>(cell);
    }
    0
}

nokprobe!(xcap_record_slow);

/// What is fixed for all CPUs of a probe while it is armed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Constants {
    /// What of the return value is work.
    pub(crate) work_mask: u64,
    /// Cycles that a hit costs outside its sample.
    pub(crate) outside: u32,
    /// Cycles that a hit costs in all.
    pub(crate) cost: u32,
}

/// Samples of all CPUs, added up.
pub(crate) struct Totals {
    pub(crate) entries: u64,
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) sumsq: u128,
    /// `u64::MAX` when there is no sample.
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) self_sum: u64,
    pub(crate) nested_outside: u64,
    pub(crate) nested_cost: u64,
    pub(crate) work: u64,
    pub(crate) straddled: u64,
    pub(crate) negative: u64,
    pub(crate) migrated: u64,
    pub(crate) switched: u64,
    /// All of the above is of one and the same set of samples, CPU by CPU.
    pub(crate) exact: bool,
    pub(crate) histogram: KVec<u64>,
}

impl Totals {
    /// No samples.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            entries: 0,
            count: 0,
            sum: 0,
            sumsq: 0,
            min: u64::MAX,
            max: 0,
            self_sum: 0,
            nested_outside: 0,
            nested_cost: 0,
            work: 0,
            straddled: 0,
            negative: 0,
            migrated: 0,
            switched: 0,
            exact: true,
            histogram: KVec::from_elem(0, histogram::BUCKETS, GFP_KERNEL)?,
        })
    }

    /// Calls entered and not yet returned.
    pub(crate) fn in_flight(&self) -> u64 {
        self.entries
            .wrapping_sub(self.count)
            .wrapping_sub(self.straddled)
            .wrapping_sub(self.negative)
    }

    fn add(&mut self, cell: &Cell) {
        self.entries = self.entries.wrapping_add(cell.entries);
        self.count = self.count.wrapping_add(cell.done);
        self.sum = self.sum.wrapping_add(cell.sum);
        let square = u128::from(cell.sumsq[1]) << 64 | u128::from(cell.sumsq[0]);
        self.sumsq = self.sumsq.wrapping_add(square);
        self.min = self.min.min(if cell.zeros > 0 { 0 } else { cell.min });
        self.max = self.max.max(cell.max);
        self.self_sum = self.self_sum.wrapping_add(cell.self_sum);
        self.nested_outside = self.nested_outside.wrapping_add(cell.nested_outside);
        self.nested_cost = self.nested_cost.wrapping_add(cell.nested_cost);
        self.work = self.work.wrapping_add(cell.work);
        self.straddled = self.straddled.wrapping_add(cell.straddled);
        self.negative = self.negative.wrapping_add(cell.negative);
        self.migrated = self.migrated.wrapping_add(cell.migrated);
        self.switched = self.switched.wrapping_add(cell.switched);
        let pending = (cell.pending - histogram::SUB_BUCKETS) as usize;
        for (raw, &count) in cell.raw_histogram[..NO_RAW_BUCKET].iter().enumerate() {
            let count = count.wrapping_add(u64::from(raw == pending));
            let bucket = histogram::bucket_of_raw(raw);
            self.histogram[bucket] = self.histogram[bucket].wrapping_add(count);
        }
        let (zero, one) = (histogram::bucket(0), histogram::bucket(1));
        self.histogram[zero] = self.histogram[zero].wrapping_add(cell.zeros);
        self.histogram[one] = self.histogram[one].wrapping_sub(cell.zeros);
    }
}

/// All CPUs' cells of one probe.
pub(crate) struct Cells(PerCpu<Cell>);

/// How often a reader tries to find a CPU between two samples.
const SNAPSHOT_TRIES: u32 = 10_000;

impl Cells {
    /// Cells with no samples.
    pub(crate) fn new() -> Result<Self> {
        let cells = Self(PerCpu::new()?);
        for cpu in cpu::possible() {
            // SAFETY: No probe knows these cells yet.
            unsafe {
                let cell = cells.0.of(cpu);
                (*cell).min = u64::MAX;
                (*cell).pending = NO_BUCKET;
            }
        }
        Ok(cells)
    }

    /// The per-CPU pointer.
    pub(crate) fn as_ptr(&self) -> *mut Cell {
        self.0.as_ptr()
    }

    /// Sets what is fixed while the probe is armed. To be called before it is.
    pub(crate) fn set_constants(&self, constants: Constants) {
        for cpu in cpu::possible() {
            let cell = self.0.of(cpu);
            // SAFETY: The cell exists as long as `self`; handlers only read these fields, and none
            // runs before the probe is armed.
            unsafe {
                (&raw mut (*cell).work_mask).write_volatile(constants.work_mask);
                let costs = u64::from(constants.cost) << 32 | u64::from(constants.outside);
                (&raw mut (*cell).costs).write_volatile(costs);
            }
        }
    }

    /// Counts `calls` that will never be seen to return.
    pub(crate) fn give_up(&self, calls: u64) {
        // SAFETY: The cells exist as long as `self`.
        unsafe { cpu::add::<{ offset_of!(Cell, straddled) }, _>(self.as_ptr(), calls) }
    }

    /// Adds up all CPUs, each between two samples where that can be had.
    pub(crate) fn totals(&self) -> Result<Totals> {
        let mut totals = Totals::new()?;
        // A cell is too large for the stack.
        let mut copy = KBox::<Cell>::new_uninit(GFP_KERNEL)?;
        for cpu in cpu::possible() {
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
                    totals.add(cell);
                    break;
                }
                core::hint::spin_loop();
            }
        }
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
            let words = core::mem::size_of::<Cell>() / 8;
            let done = offset_of!(Cell, done) / 8;
            let histogram = offset_of!(Cell, raw_histogram) / 8;
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
        unsafe extern "C" fn reset_here(argument: *mut core::ffi::c_void) {
            // SAFETY: The argument is what `on_each_online` was given; interrupts are off, so this
            // CPU's part is ours.
            unsafe { Cells::reset_cell(PerCpu::here((*argument.cast::<Cells>()).as_ptr())) }
        }
        cpu::on_each_online(reset_here, self);
        for cpu in cpu::possible().filter(|&cpu| !cpu::is_online(cpu)) {
            // SAFETY: Nothing runs on a CPU that is offline.
            unsafe { Self::reset_cell(self.0.of(cpu)) }
        }
    }

    /// # Safety
    ///
    /// Nobody else writes to the cell.
    unsafe fn reset_cell(cell: *mut Cell) {
        // SAFETY: By the caller's promise the cell is ours.
        let cell = unsafe { &mut *cell };
        let returned = cell
            .done
            .wrapping_add(cell.straddled)
            .wrapping_add(cell.negative);
        cell.entries = cell.entries.wrapping_sub(returned);
        cell.done = 0;
        cell.sum = 0;
        cell.sumsq = [0; 2];
        cell.min = u64::MAX;
        cell.pending = NO_BUCKET;
        cell.max = 0;
        cell.self_sum = 0;
        cell.nested_outside = 0;
        cell.nested_cost = 0;
        cell.work = 0;
        cell.straddled = 0;
        cell.negative = 0;
        cell.migrated = 0;
        cell.switched = 0;
        cell.zeros = 0;
        cell.raw_histogram.fill(0);
    }
}
