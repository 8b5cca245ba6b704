// SPDX-License-Identifier: GPL-2.0

//! How a call leaves a mark: which frame it is about, at its entry; and when it was, at its return.

use super::{
    bindings::*,
    cell::{at, Cell, Frame},
    cpu::{self, PerCpu},
    epoch::{self, Began},
    mark_rings,
    nokprobe::nokprobe,
    scope,
    source::Source,
};
use crate::abi::mark::{self, Mark};
use core::mem::{offset_of, size_of};

/// How a probe's calls leave marks; a word of its cells.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Marking {
    /// Its number among the places.
    pub(crate) place: u16,
    pub(crate) source: Source,
    /// Which argument, from 0.
    pub(crate) argument: u8,
    /// Bytes before the queue.
    pub(crate) offset: u32,
}

impl Marking {
    /// As the cells have it.
    pub(crate) fn word(self) -> u64 {
        u64::from(self.offset) << 32
            | u64::from(self.source as u8) << 24
            | u64::from(self.argument) << 16
            | u64::from(self.place)
    }

    #[inline(always)]
    fn of_word(word: u64) -> Self {
        Self {
            place: word as u16,
            argument: (word >> 16) as u8,
            source: Source::of_word((word >> 24) as u8),
            offset: (word >> 32) as u32,
        }
    }

    #[inline(always)]
    fn of_cell(cell: *mut Cell) -> Self {
        // SAFETY: The cell exists while its probe is hooked. All CPUs have the same in this word, so
        // that it doesn't matter which of them this is.
        Self::of_word(unsafe { Cell::at::<{ at!(marking) }>(PerCpu::here(cell)).read_volatile() })
    }
}

/// Which frame a call is about.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Identity {
    number: u64,
    /// The mark's; or [`UNMARKED`].
    flags: u64,
}

impl Identity {
    /// Whether the call counts at all.
    pub(crate) fn is_in_scope(&self) -> bool {
        self.flags != OUT_OF_SCOPE
    }
}

/// The flags of a call that leaves no mark.
const UNMARKED: u64 = u64::MAX;

/// Those of a call that isn't in scope, and is left alone.
const OUT_OF_SCOPE: u64 = XCAP_OUT_OF_SCOPE as i64 as u64;

/// Which frame a call is about whose arguments are what `argument` says, of the probe with `cell`.
///
/// # Safety
///
/// `cell` is per-CPU memory of cells.
#[inline(always)]
pub(crate) unsafe fn identify(cell: *mut Cell, argument: impl Fn(u8) -> u64) -> Identity {
    // SAFETY: The caller's promise.
    if !unsafe { scope::holds(cell, &argument) } {
        return Identity {
            number: 0,
            flags: OUT_OF_SCOPE,
        };
    }
    let marking = Marking::of_cell(cell);
    if marking.source == Source::None {
        return Identity {
            number: 0,
            flags: 0,
        };
    }
    let mut number = 0;
    let buffer = marking
        .source
        .buffer(argument(marking.argument), marking.offset);
    // SAFETY: Reads without faulting what may be a socket buffer.
    let numbered = buffer.is_some_and(|buffer| unsafe { xcap_skb_number(buffer, &raw mut number) });
    let flags = if numbered && mark_rings::is_chosen(number) {
        mark::FRAME.into()
    } else {
        UNMARKED
    };
    Identity { number, flags }
}

/// Leaves a mark of the call of `frame`, which took `cycles` and did `work`.
///
/// # Safety
///
/// `frame` was filled by [`enter`](super::cell::enter) with a cell that still exists; preemption is
/// off.
#[inline(always)]
pub(crate) unsafe fn leave(frame: &Frame, identity: Identity, cycles: u64, work: u64) {
    // As samples that are not: of another epoch, or ended before they began.
    if identity.flags == UNMARKED
        || epoch::began(frame.stamp) != Began::Within
        || (cycles as i64) < 0
    {
        return;
    }
    let stamp = cpu::Totals::at_return().stamp;
    // SAFETY: The cell exists by the caller's promise; the word is fixed while it is hooked.
    let work_mask = unsafe { Cell::at::<{ at!(work_mask) }>(PerCpu::here(frame.cell)).read() };
    let mut flags = identity.flags as u32;
    if work_mask != 0 {
        flags |= mark::COUNT;
    }
    if stamp != frame.stamp {
        flags |= mark::SWITCHED;
    }
    mark_rings::push(Mark {
        entry: frame.tsc,
        exit: frame.tsc.wrapping_add(cycles),
        frame: identity.number,
        place: Marking::of_cell(frame.cell).place,
        cpu: epoch::stamp_cpu(stamp) as u16,
        flags,
        count: (work & work_mask) as u32,
        lost: 0,
    });
}

/// What travels with a call that leaves a mark, on the stack of the direct backend.
#[repr(C)]
struct MarkedFrame {
    frame: Frame,
    identity: Identity,
    cycles: u64,
}

const _: () = {
    let identity = offset_of!(MarkedFrame, identity);
    assert!(identity + offset_of!(Identity, number) == XCAP_FRAME_NUMBER as usize);
    assert!(identity + offset_of!(Identity, flags) == XCAP_FRAME_FLAGS as usize);
    assert!(offset_of!(MarkedFrame, cycles) == XCAP_FRAME_CYCLES as usize);
    assert!(size_of::<MarkedFrame>() == XCAP_FRAME_MARKED_SIZE as usize);
};

/// [`identify`] for the trampolines.
///
/// # Safety
///
/// `arguments` are those that are passed in registers, all six; `cell` as in [`identify`].
#[no_mangle]
unsafe extern "C" fn xcap_mark(arguments: *const u64, cell: *mut Cell) -> Identity {
    // SAFETY: The caller's promises. No argument has a greater number than 5.
    unsafe {
        identify(cell, |index| {
            arguments.add(usize::from(index.min(5))).read()
        })
    }
}

/// [`leave`] for the trampolines.
///
/// # Safety
///
/// `frame` is a trampoline's, of a call that has returned; preemption is off.
#[no_mangle]
unsafe extern "C" fn xcap_mark_leave(frame: *const MarkedFrame, work: u64) {
    // SAFETY: The caller's promises.
    unsafe {
        let marked = &*frame;
        leave(&marked.frame, marked.identity, marked.cycles, work);
    }
}

nokprobe!(xcap_mark, xcap_mark_leave);
