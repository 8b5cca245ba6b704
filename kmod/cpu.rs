// SPDX-License-Identifier: GPL-2.0

//! This CPU: its clock, its running totals, its part of per-CPU memory.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use super::bindings;
use core::arch::asm;
use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::ptr::NonNull;
use kernel::prelude::*;

/// Reads the TSC, unordered, as `rdtsc` does.
#[inline(always)]
pub(crate) fn rdtsc() -> u64 {
    let (low, high): (u64, u64);
    // SAFETY: `rdtsc` touches nothing but the two registers, of which it clears the upper halves;
    // the kernel may execute it.
    unsafe {
        asm!("rdtsc", out("rax") low, out("rdx") high, options(nomem, nostack, preserves_flags))
    };
    high << 32 | low
}

/// Whether CPU number `cpu` is in `mask`.
///
/// # Safety
///
/// `mask` is valid; bits that change meanwhile are read as either value.
unsafe fn in_mask(mask: *const kernel::bindings::cpumask, cpu: u32) -> bool {
    // SAFETY: The caller's promise.
    let word = unsafe { (&raw const (*mask).bits[cpu as usize / 64]).read_volatile() };
    word >> (cpu % 64) & 1 == 1
}

/// Whether CPU number `cpu` runs now.
pub(crate) fn is_online(cpu: u32) -> bool {
    // SAFETY: The mask lives as long as the kernel.
    unsafe { in_mask(&raw const kernel::bindings::__cpu_online_mask, cpu) }
}

/// The CPUs that may ever run.
pub(crate) fn possible() -> impl Iterator<Item = u32> {
    // SAFETY: Fixed after boot.
    let count = unsafe { kernel::bindings::nr_cpu_ids };
    (0..count).filter(|&cpu| {
        // SAFETY: The mask lives as long as the kernel.
        unsafe { in_mask(&raw const kernel::bindings::__cpu_possible_mask, cpu) }
    })
}

/// Has `change` change every CPU's part of per-CPU memory, on that CPU and with interrupts off;
/// those of CPUs that are offline, and stay it meanwhile, on this one.
pub(crate) fn on_each_part<T, F: Fn(*mut T)>(pointer: *mut T, change: F) {
    unsafe extern "C" fn here<T, F: Fn(*mut T)>(argument: *mut c_void) {
        // SAFETY: The argument is what is passed below, which outlives the call.
        let (pointer, change) = unsafe { &*argument.cast::<(*mut T, F)>() };
        change(PerCpu::here(*pointer));
    }
    let mut argument = (pointer, change);
    // SAFETY: Called from process context, with no lock held that hotplug takes. `here` takes what
    // `argument` points to, which outlives the call as it waits.
    unsafe {
        bindings::cpus_read_lock();
        kernel::bindings::on_each_cpu_cond_mask(
            None,
            Some(here::<T, F>),
            (&raw mut argument).cast(),
            true,
            &raw const kernel::bindings::__cpu_online_mask,
        );
    }
    for cpu in possible().filter(|&cpu| !is_online(cpu)) {
        (argument.1)(part_of(pointer, cpu));
    }
    // SAFETY: Locked above.
    unsafe { bindings::cpus_read_unlock() };
}

/// Memory that every possible CPU has one of, zeroed at first.
///
/// # Invariants
///
/// The pointer is per-CPU memory of the size and alignment of `T`, owned by `self`.
pub(crate) struct PerCpu<T>(NonNull<T>);

// SAFETY: The memory belongs to no thread; what is in it is reached through raw pointers only.
unsafe impl<T> Send for PerCpu<T> {}
// SAFETY: As above.
unsafe impl<T> Sync for PerCpu<T> {}

impl<T> PerCpu<T> {
    /// Allocates; may sleep.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Any size and alignment may be asked for; failure is NULL.
        let pointer = unsafe {
            kernel::bindings::pcpu_alloc_noprof(
                size_of::<T>(),
                align_of::<T>(),
                false,
                kernel::bindings::GFP_KERNEL,
            )
        };
        NonNull::new(pointer.cast()).map(Self).ok_or(ENOMEM)
    }

    /// The per-CPU pointer: an offset from this CPU's base (`gs`).
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// CPU `cpu`'s part. Valid as long as `self`; other CPUs may write to it at any time.
    pub(crate) fn of(&self, cpu: u32) -> *mut T {
        part_of(self.as_ptr(), cpu)
    }

    /// This CPU's part. The caller must not be moved to another CPU while it uses it.
    pub(crate) fn here(pointer: *mut T) -> *mut T {
        let base: usize;
        // SAFETY: `this_cpu_off` is readable through `gs` on every CPU.
        unsafe {
            asm!(
                "mov {base}, gs:[rip + this_cpu_off]",
                base = out(reg) base,
                options(nostack, preserves_flags, readonly)
            )
        };
        pointer.wrapping_byte_add(base)
    }
}

impl<T> Drop for PerCpu<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the memory is ours, and nobody uses it any more.
        unsafe { kernel::bindings::free_percpu(self.0.as_ptr().cast()) }
    }
}

/// CPU `cpu`'s part of per-CPU memory.
pub(crate) fn part_of<T>(pointer: *mut T, cpu: u32) -> *mut T {
    // SAFETY: The kernel has an offset for every possible CPU.
    let offset = unsafe {
        (&raw const kernel::bindings::__per_cpu_offset)
            .cast::<usize>()
            .add(cpu as usize)
            .read()
    };
    pointer.wrapping_byte_add(offset)
}

/// Makes this CPU's stamp differ from those of all frames so far. Interrupts are off.
#[inline(always)]
pub(crate) fn bump_stamp() {
    // SAFETY: An instruction each on this CPU's own variable. A call that begins and ends between
    // the two (in an NMI) is taken for one that another task interrupted.
    unsafe {
        asm!(
            "inc qword ptr gs:[rip + xcap_cpu + {STAMP}]",
            "inc qword ptr gs:[rip + xcap_cpu + {ENTRY}]",
            STAMP = const bindings::XCAP_CPU_STAMP,
            ENTRY = const bindings::XCAP_CPU_ENTRY,
            options(nostack)
        )
    }
}

/// Adds one to what lies `OFFSET` bytes into this CPU's part of `pointer`, wrapping.
///
/// # Safety
///
/// `pointer` is per-CPU memory with a `u64` there.
#[inline(always)]
pub(crate) unsafe fn increment<const OFFSET: usize, T>(pointer: *mut T) {
    // SAFETY: As for `add`.
    unsafe {
        asm!(
            "inc qword ptr gs:[{pointer} + {offset}]",
            pointer = in(reg) pointer,
            offset = const OFFSET,
            options(nostack)
        )
    }
}

/// Adds `value` to what lies `OFFSET` bytes into this CPU's part of `pointer`, wrapping.
///
/// # Safety
///
/// `pointer` is per-CPU memory with a `u64` there.
#[inline(always)]
pub(crate) unsafe fn add<const OFFSET: usize, T>(pointer: *mut T, value: u64) {
    // SAFETY: The caller's promise; one instruction, so neither an interrupt nor a move to
    // another CPU can come in between.
    unsafe {
        asm!(
            "add qword ptr gs:[{pointer} + {offset}], {value}",
            pointer = in(reg) pointer,
            offset = const OFFSET,
            value = in(reg) value,
            options(nostack)
        )
    }
}

/// Adds `value` to 128 bits in this CPU's part of `pointer`, low word first, wrapping.
///
/// # Safety
///
/// `pointer` is per-CPU memory, and the caller is not moved to another CPU meanwhile.
#[inline(always)]
pub(crate) unsafe fn add_wide(pointer: *mut [u64; 2], value: u128) {
    // SAFETY: The caller's promise. An interrupt between the two keeps the carry in the flags that
    // it restores.
    unsafe {
        asm!(
            "add qword ptr gs:[{pointer}], {low}",
            "adc qword ptr gs:[{pointer} + 8], {high}",
            pointer = in(reg) pointer,
            low = in(reg) value as u64,
            high = in(reg) (value >> 64) as u64,
            options(nostack)
        )
    }
}

/// A CPU's running totals: `struct xcap_cpu`, as read on that CPU.
pub(crate) struct Totals {
    /// Changes with every switch of tasks; differs between CPUs.
    pub(crate) stamp: u64,
    /// Cycles in samples that completed on the CPU, none counted twice.
    pub(crate) nested: u64,
    /// What their probes cost: low half, outside the samples at the top; high half, all.
    pub(crate) overhead: u64,
}

impl Totals {
    /// At a call's entry. Reads the stamp first: a move to another CPU meanwhile makes it differ
    /// from that CPU's.
    #[inline(always)]
    pub(crate) fn at_entry() -> Self {
        Self::read::<{ bindings::XCAP_CPU_ENTRY }>()
    }

    /// At a call's return.
    #[inline(always)]
    pub(crate) fn at_return() -> Self {
        Self::read::<{ bindings::XCAP_CPU_STAMP }>()
    }

    #[inline(always)]
    fn read<const STAMP: u32>() -> Self {
        let (stamp, nested, overhead);
        // SAFETY: Reads a variable that every CPU has.
        unsafe {
            asm!(
                "mov {stamp}, gs:[rip + xcap_cpu + {STAMP}]",
                "mov {nested}, gs:[rip + xcap_cpu + {NESTED}]",
                "mov {overhead}, gs:[rip + xcap_cpu + {OVERHEAD}]",
                stamp = out(reg) stamp,
                nested = out(reg) nested,
                overhead = out(reg) overhead,
                STAMP = const STAMP,
                NESTED = const bindings::XCAP_CPU_NESTED,
                OVERHEAD = const bindings::XCAP_CPU_OVERHEAD,
                options(nostack, preserves_flags)
            )
        };
        Self {
            stamp,
            nested,
            overhead,
        }
    }

    /// Adds to this CPU's totals, wrapping.
    pub(crate) fn add(nested: u64, overhead: u64) {
        // SAFETY: One instruction each, on a variable that every CPU has.
        unsafe {
            asm!(
                "add gs:[rip + xcap_cpu + {NESTED}], {nested}",
                "add gs:[rip + xcap_cpu + {OVERHEAD}], {overhead}",
                nested = in(reg) nested,
                overhead = in(reg) overhead,
                NESTED = const bindings::XCAP_CPU_NESTED,
                OVERHEAD = const bindings::XCAP_CPU_OVERHEAD,
                options(nostack)
            )
        };
    }
}
