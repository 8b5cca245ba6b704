// SPDX-License-Identifier: GPL-2.0

//! Where marks wait to be read: a ring for each CPU, which only that CPU writes to.
//!
//! A mark takes a place in its CPU's ring by one instruction, so that an interrupt that leaves one
//! meanwhile takes the next; it is whole when its slot says the place's number. A reader takes whole
//! ones from the other end. Where there is no room, a mark is counted as lost: nobody waits.

use super::cpu::{self, PerCpu};
use crate::abi::mark::Mark;
use core::{
    arch::asm,
    mem::offset_of,
    ptr,
    sync::atomic::{compiler_fence, AtomicBool, AtomicPtr, AtomicU64, Ordering},
};
use kernel::prelude::*;

/// A mark, and the number of its place in the ring, from 1, when it is whole.
#[derive(Clone)]
#[repr(C, align(64))]
struct Slot {
    number: u64,
    mark: Mark,
}

/// The end that the reader moves, in a cache line of its own.
#[repr(C, align(64))]
struct Tail(AtomicU64);

/// One CPU's ring. Zeroed, it has no room.
#[repr(C, align(64))]
struct Ring {
    /// Marks that took a place so far.
    head: u64,
    /// The number of marks at which it is full, as last seen.
    limit: u64,
    lost: u64,
    slots: *mut Slot,
    /// How many slots there are: a power of two, or 0.
    size: u64,
    /// Marks that were read.
    tail: Tail,
}

/// The rings that marks are left in: per-CPU memory, or null.
static ACTIVE: AtomicPtr<Ring> = AtomicPtr::new(ptr::null_mut());

/// Bits that the number of a chosen frame hasn't.
static UNCHOSEN: AtomicU64 = AtomicU64::new(0);

/// Whether frames of this number leave marks: one of so many, the same ones everywhere.
#[inline(always)]
pub(crate) fn is_chosen(number: u64) -> bool {
    number & UNCHOSEN.load(Ordering::Relaxed) == 0
}

/// Puts a mark into this CPU's ring. Preemption is off.
#[inline(always)]
pub(crate) fn push(mark: Mark) {
    let rings = ACTIVE.load(Ordering::Relaxed);
    if rings.is_null() {
        return;
    }
    let ring = PerCpu::here(rings);
    // SAFETY: The rings exist while preemption is off here: they are freed after a grace period
    // without `ACTIVE`. This CPU alone writes to its own, but for the tail.
    unsafe {
        loop {
            let head = (&raw const (*ring).head).read_volatile();
            if head >= (&raw const (*ring).limit).read_volatile() {
                let tail = (*ring).tail.0.load(Ordering::Acquire);
                let limit = tail.wrapping_add((*ring).size);
                (&raw mut (*ring).limit).write_volatile(limit);
                if head >= limit {
                    cpu::increment::<{ offset_of!(Ring, lost) }, _>(rings);
                    return;
                }
            }
            if take(&raw mut (*ring).head, head) {
                let lost = (&raw const (*ring).lost).read_volatile() as u32;
                let slot = (*ring).slots.add((head & ((*ring).size - 1)) as usize);
                (&raw mut (*slot).mark).write(Mark { lost, ..mark });
                // Stores keep their order on x86.
                compiler_fence(Ordering::Release);
                (&raw mut (*slot).number).write_volatile(head.wrapping_add(1));
                return;
            }
        }
    }
}

/// Takes place number `head`, unless an interrupt has.
///
/// # Safety
///
/// `at` is this CPU's, which no other CPU writes to; preemption is off.
#[inline(always)]
unsafe fn take(at: *mut u64, head: u64) -> bool {
    let found: u64;
    // SAFETY: The caller's promise: one instruction, so that an interrupt is before or after it.
    unsafe {
        asm!(
            "cmpxchg qword ptr [{at}], {next}",
            at = in(reg) at,
            next = in(reg) head.wrapping_add(1),
            inout("rax") head => found,
            options(nostack)
        )
    };
    found == head
}

/// All CPUs' rings, and what a reader has to know of them.
pub(crate) struct Rings {
    rings: PerCpu<Ring>,
    /// What the rings point to.
    _slots: KVec<KVVec<Slot>>,
    /// What the stream begins with.
    pub(crate) header: KVec<u8>,
    is_open: AtomicBool,
}

// SAFETY: The per-CPU memory and the slots are reached as this file says.
unsafe impl Send for Rings {}
// SAFETY: As above.
unsafe impl Sync for Rings {}

impl Rings {
    /// Empty ones with room for `size` marks, a power of two, for each CPU that runs now.
    pub(crate) fn new(size: usize, header: KVec<u8>) -> Result<Self> {
        let rings = PerCpu::<Ring>::new()?;
        let mut all = KVec::new();
        let empty = Slot {
            number: 0,
            mark: Mark::loss(0, 0),
        };
        for cpu in cpu::possible().filter(|&cpu| cpu::is_online(cpu)) {
            let mut slots = KVVec::from_elem(empty.clone(), size, GFP_KERNEL)?;
            // SAFETY: Nobody knows these rings yet.
            unsafe {
                let ring = rings.of(cpu);
                (*ring).slots = slots.as_mut_ptr();
                (*ring).size = size as u64;
            }
            all.push(slots, GFP_KERNEL)?;
        }
        Ok(Self {
            rings,
            _slots: all,
            header,
            is_open: AtomicBool::new(false),
        })
    }

    /// Has marks left here, of frames whose number divides by `every`, a power of two.
    ///
    /// They are not to be dropped before [`deactivate`].
    pub(crate) fn activate(&self, every: u64) {
        UNCHOSEN.store(every.wrapping_sub(1), Ordering::Relaxed);
        ACTIVE.store(self.rings.as_ptr(), Ordering::Release);
    }

    /// Becomes the one reader. False: there is another.
    pub(crate) fn claim(&self) -> bool {
        !self.is_open.swap(true, Ordering::Acquire)
    }

    /// The reader goes.
    pub(crate) fn release(&self) {
        self.is_open.store(false, Ordering::Release);
    }

    /// Appends whole marks of CPU number `cpu` to `bytes`, which are to be `most` marks at most; and
    /// says how many. They stay until [`forget`](Self::forget).
    ///
    /// For the one reader.
    pub(crate) fn peek(&self, cpu: u32, bytes: &mut KVec<u8>, most: usize) -> u64 {
        let ring = self.rings.of(cpu);
        // SAFETY: The ring exists as long as `self`. Slots that say the number that is expected are
        // whole, and stay so until the tail moves.
        unsafe {
            let tail = (*ring).tail.0.load(Ordering::Relaxed);
            let size = (*ring).size;
            let mut taken = 0;
            while taken < size {
                let place = tail.wrapping_add(taken);
                let slot = (*ring).slots.add((place & (size - 1)) as usize);
                if (&raw const (*slot).number).read_volatile() != place.wrapping_add(1) {
                    break;
                }
                // Loads keep their order on x86.
                compiler_fence(Ordering::Acquire);
                if !append(bytes, &(*slot).mark, most) {
                    break;
                }
                taken += 1;
            }
            taken
        }
    }

    /// Makes room where `count` marks of that CPU were read.
    pub(crate) fn forget(&self, cpu: u32, count: u64) {
        // SAFETY: As above; the one reader moves the tail.
        let tail = unsafe { &(*self.rings.of(cpu)).tail.0 };
        tail.store(
            tail.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Release,
        );
    }

    /// Marks that CPU number `cpu` had no room for.
    pub(crate) fn lost(&self, cpu: u32) -> u32 {
        // SAFETY: As above; the word is read whole.
        unsafe { (&raw const (*self.rings.of(cpu)).lost).read_volatile() as u32 }
    }
}

/// Appends a mark, if they are not `most` already and there is memory. False: it is not there.
pub(crate) fn append(bytes: &mut KVec<u8>, mark: &Mark, most: usize) -> bool {
    bytes.len() / Mark::SIZE < most
        && bytes
            .extend_from_slice(&mark.to_bytes(), GFP_KERNEL)
            .is_ok()
}

/// Where marks are left, and of which frames.
pub(crate) struct Active {
    rings: *mut Ring,
    unchosen: u64,
}

/// What was activated last, if it still is.
pub(crate) fn active() -> Active {
    Active {
        rings: ACTIVE.load(Ordering::Relaxed),
        unchosen: UNCHOSEN.load(Ordering::Relaxed),
    }
}

impl Active {
    /// Has marks left there again. Its rings were not dropped meanwhile.
    pub(crate) fn restore(self) {
        UNCHOSEN.store(self.unchosen, Ordering::Relaxed);
        ACTIVE.store(self.rings, Ordering::Release);
    }
}

/// No marks are left from here on, and none is being left any more.
pub(crate) fn deactivate() {
    ACTIVE.store(ptr::null_mut(), Ordering::Release);
    // Marks are left with preemption off, which RCU waits for.
    // SAFETY: Called from process context, outside RCU's read side.
    unsafe { kernel::bindings::synchronize_rcu() };
}
