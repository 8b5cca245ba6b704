// SPDX-License-Identifier: GPL-2.0

//! What stands for a CPU of the kernel's: a thread that stays on one, and memory reached through
//! `gs` that no other has.

use crate::image::head;
use crate::layout::*;
use crate::unit::Driver;
use anyhow::{bail, Context, Result};
use nix::libc;
use nix::sched::{sched_setaffinity, CpuSet};
use nix::unistd::Pid;
use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::marker::PhantomData;
use xcap_abi::histogram::{RAW_BUCKETS, SUB_BUCKETS};

const _: () = assert!(CELL_SIZE == XCAP_CELL_HISTOGRAM + 8 * RAW_BUCKETS);

/// The count of a kernel whose code may be preempted, and is not asked to (<asm/preempt.h>).
const PREEMPT_ENABLED: u32 = 0x8000_0000;

/// Where the third word of the shapes' memory keeps the top of their stack of returns.
const SHADOW_TOP: usize = 16;

/// What `pending` is at first: a bucket that no sample falls in (NO_BUCKET in kmod/cell.rs).
const NO_BUCKET: u64 = RAW_BUCKETS as u64 - 1 + SUB_BUCKETS;

/// CPUs that this process may run on.
pub fn allowed() -> Result<Vec<usize>> {
    let set = nix::sched::sched_getaffinity(Pid::from_raw(0))
        .context("cannot ask which CPUs this process may use")?;
    Ok((0..CpuSet::count())
        .filter(|&cpu| set.is_set(cpu).unwrap_or(false))
        .collect())
}

/// Makes a slot record in the cell of its number.
pub fn set_slot(slot: usize) {
    assert!(slot < CELLS, "a slot has a cell of its own");
    let cell = head().cells.wrapping_add(slot * CELL_SIZE) as u64;
    // SAFETY: Within the image. Written before what is measured begins, by any thread the same.
    unsafe { head().slot_cells.add(slot).write_volatile(cell) };
}

/// This thread, as the CPU it is pinned to.
pub struct Cpu {
    memory: Box<[u64]>,
    // gs is the thread's.
    _here: PhantomData<*mut ()>,
}

/// A cell as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub entries: u64,
    pub done: u64,
    pub sum: u64,
    pub nested_cost: u64,
}

impl Cpu {
    /// Pins this thread, and gives it memory of its own until dropped.
    pub fn enter(number: usize) -> Result<Self> {
        let mut set = CpuSet::new();
        set.set(number)
            .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
            .with_context(|| format!("cannot stay on CPU {number}"))?;
        let size = head().percpu_end as usize - head().percpu as usize;
        // A cache line more, so that its begin can lie on one.
        let mut cpu = Self {
            memory: vec![0u64; size / 8 + 16].into_boxed_slice(),
            _here: PhantomData,
        };
        set_gs(cpu.base())?;
        cpu.reset();
        Ok(cpu)
    }

    /// What is added to the template's addresses.
    fn base(&self) -> u64 {
        let begin = (self.memory.as_ptr() as u64).next_multiple_of(64);
        begin.wrapping_sub(head().percpu as u64)
    }

    fn word(&self, template: *const u8) -> *mut u64 {
        self.base().wrapping_add(template as u64) as *mut u64
    }

    fn cell(&self, index: usize, offset: usize) -> *mut u64 {
        self.word(head().cells.wrapping_add(index * CELL_SIZE + offset))
    }

    /// No samples, no totals.
    pub fn reset(&mut self) {
        self.memory.fill(0);
        // SAFETY: All within the memory, which nothing else has now.
        unsafe {
            self.word(head().preempt_count)
                .cast::<u32>()
                .write_volatile(PREEMPT_ENABLED);
            self.word(head().shape.wrapping_add(SHADOW_TOP))
                .write_volatile(head().shadow as u64);
            for cell in 0..CELLS {
                self.cell(cell, XCAP_CELL_MIN).write_volatile(u64::MAX);
                self.cell(cell, XCAP_CELL_PENDING).write_volatile(NO_BUCKET);
            }
        }
    }

    /// What is fixed while a probe is armed: Cells::set_constants() in kmod/cell.rs.
    pub fn set_constants(&mut self, index: usize, costs: Costs) {
        // SAFETY: Within the memory, which nothing else has now.
        unsafe {
            self.cell(index, XCAP_CELL_COSTS)
                .write_volatile(u64::from(costs.whole) << 32 | u64::from(costs.outside));
        }
    }

    pub fn read(&self, index: usize) -> Reading {
        // SAFETY: Within the memory, which only this thread writes to.
        let word = |offset| unsafe { self.cell(index, offset).read_volatile() };
        Reading {
            entries: word(XCAP_CELL_ENTRIES),
            done: word(XCAP_CELL_DONE),
            sum: word(XCAP_CELL_SUM),
            nested_cost: word(XCAP_CELL_NESTED_COST),
        }
    }

    /// What a shape of another mechanism counted, and its sum.
    pub fn read_shape(&self) -> (u64, u64) {
        let words = self.word(head().shape);
        // SAFETY: Within the memory, which only this thread writes to.
        unsafe { (words.read_volatile(), words.add(1).read_volatile()) }
    }

    /// Whether each hit left preemption as it found it.
    pub fn is_balanced(&self) -> bool {
        let count = self.word(head().preempt_count).cast::<u32>();
        // SAFETY: Within the memory, which only this thread writes to.
        unsafe { count.read_volatile() == PREEMPT_ENABLED }
    }

    /// Ticks that so many calls of `driver` take.
    ///
    /// # Safety
    ///
    /// What `driver` calls is probed by nothing, or by what this CPU's memory is ready for.
    pub unsafe fn run(&mut self, driver: Driver, calls: u64) -> u64 {
        // SAFETY: The caller's promise; every x86-64 has a TSC.
        unsafe {
            let begin = _rdtsc();
            driver(calls);
            _rdtsc().wrapping_sub(begin)
        }
    }

    /// Ticks that one call of `driver` takes, with nothing before it or after it under way.
    ///
    /// # Safety
    ///
    /// As for [`Cpu::run`].
    pub unsafe fn run_alone(&mut self, driver: Driver) -> u64 {
        // SAFETY: The caller's promise; every x86-64 has these.
        unsafe {
            _mm_lfence();
            let begin = _rdtsc();
            _mm_lfence();
            driver(1);
            _mm_lfence();
            _rdtsc().wrapping_sub(begin)
        }
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        // The thread's next gs access would fault, which is right: there is none.
        let _ = set_gs(0);
    }
}

/// What the module is told that a hit costs, ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    pub outside: u32,
    pub whole: u32,
}

fn set_gs(base: u64) -> Result<()> {
    const ARCH_SET_GS: libc::c_int = 0x1001;
    // SAFETY: gs is used by nothing in user space but the code here.
    if unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base) } != 0 {
        bail!(
            "cannot set this thread's gs: {}",
            std::io::Error::last_os_error()
        );
    }
    Ok(())
}
