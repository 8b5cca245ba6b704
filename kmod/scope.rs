// SPDX-License-Identifier: GPL-2.0

//! Whether a call is in its probe's scope: what its arguments, or the task, say at its entry.

use super::{
    bindings::*,
    cell::{at, Cell},
    cpu::{self, PerCpu},
    epoch::{self, Began},
    nokprobe::nokprobe,
    source::Source,
};
use kernel::ffi::c_int;

/// What an entry handler returns, fprobe's or kretprobe's, of a call that is to return without us.
pub(crate) const NOT_MINE: c_int = 1;

/// What has to be the same for a call to be in scope.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub(crate) enum Same {
    Interface = 1,
    Namespace,
    Process,
}

/// What a call's argument says.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// What the argument points to.
    pub(crate) by: xcap_belonging,
    /// How it leads to a socket buffer, where it is told by one.
    pub(crate) source: Source,
    /// Which argument, from 0.
    pub(crate) argument: u8,
    /// Bytes before the queue.
    pub(crate) offset: u32,
}

/// A probe's scope: words of its cells.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) same: Same,
    /// A namespace's cookie; a process, as the kernel has it.
    pub(crate) subject: u64,
    pub(crate) interface: u32,
    pub(crate) told: Told,
}

impl Scope {
    /// As the cells have it; the first is not 0.
    pub(crate) fn words(self) -> [u64; 3] {
        let Told {
            by,
            source,
            argument,
            offset,
        } = self.told;
        let how = u64::from(offset) << 32
            | u64::from(by) << 24
            | u64::from(source as u8) << 16
            | u64::from(argument) << 8
            | u64::from(self.same as u8);
        [how, self.subject, self.interface.into()]
    }
}

/// Whether a call is in scope whose arguments are what `argument` says, of the probe with `cell`. One
/// that is not is counted.
///
/// # Safety
///
/// `cell` is per-CPU memory of cells.
#[inline(always)]
pub(crate) unsafe fn holds(cell: *mut Cell, argument: impl Fn(u8) -> u64) -> bool {
    // All CPUs have the same in these words, so that it doesn't matter which of them this is.
    let here = PerCpu::here(cell);
    // SAFETY: The cell exists while its probe is hooked.
    let how = unsafe { Cell::at::<{ at!(scope) }>(here).read_volatile() };
    if how == 0 {
        return true;
    }
    // SAFETY: As above.
    let subject = unsafe { Cell::at::<{ at!(scope_subject) }>(here).read_volatile() };
    let same = how as u8;
    let within = if same == Same::Process as u8 {
        // SAFETY: Compares a pointer with the current task's.
        unsafe { xcap_is_process(subject as *const _) }
    } else {
        let mut pointer = Some(argument((how >> 8) as u8));
        let by = xcap_belonging::from((how >> 24) as u8);
        if by == xcap_belonging_XCAP_OF_BUFFER {
            let source = Source::of_word((how >> 16) as u8);
            pointer = pointer.and_then(|pointer| source.buffer(pointer, (how >> 32) as u32));
        }
        pointer.is_some_and(|pointer| {
            let mut origin = xcap_origin::default();
            // SAFETY: Reads without faulting whatever is there.
            let known = unsafe { xcap_origin_of(by, pointer, &raw mut origin) };
            // SAFETY: As above.
            let interface = unsafe { Cell::at::<{ at!(scope_interface) }>(here).read_volatile() };
            known
                && origin.namespace == subject
                && (same == Same::Namespace as u8 || u64::from(origin.interface) == interface)
        })
    };
    if !within {
        // SAFETY: The caller's promise.
        unsafe { turn_away(cell) };
    }
    within
}

/// Counts a call that is out of scope, if one that is not would count.
///
/// # Safety
///
/// As for [`holds`].
#[inline(always)]
unsafe fn turn_away(cell: *mut Cell) {
    let stamp = cpu::Totals::at_entry().stamp;
    if epoch::began(stamp) == Began::Within {
        // SAFETY: The caller's promise.
        unsafe {
            cpu::increment::<{ at!(out_of_scope) }, _>(cell);
            cpu::Totals::add(
                0,
                Cell::at::<{ at!(away_costs) }>(PerCpu::here(cell)).read_volatile(),
            );
        }
    }
}

/// [`holds`] for the trampolines.
///
/// # Safety
///
/// `arguments` are those that are passed in registers, all six; `cell` as in [`holds`].
#[no_mangle]
unsafe extern "C" fn xcap_scope(arguments: *const u64, cell: *mut Cell) -> bool {
    // SAFETY: The caller's promises. No argument has a greater number than 5.
    unsafe {
        holds(cell, |index| {
            arguments.add(usize::from(index.min(5))).read()
        })
    }
}

nokprobe!(xcap_scope);
