// SPDX-License-Identifier: GPL-2.0

//! The trampolines of the backend `direct`, one for each function that it hooks: in kmod/hot_path.S.

use super::{
    bindings::{
        xcap_direct_aim, xcap_direct_entry, xcap_direct_slots, xcap_marking_slots,
        xcap_scoped_slots, XCAP_DIRECT_SLOTS, XCAP_DIRECT_SLOT_SIZE, XCAP_MARKING_SLOTS,
        XCAP_MARKING_SLOT_SIZE, XCAP_SCOPED_SLOTS, XCAP_SCOPED_SLOT_SIZE,
    },
    cell::Cell,
    errors,
    target::Target,
};
use crate::abi::stages::Work;
use core::{
    ops::Range,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{ffi::c_ulong, prelude::*};

extern "C" {
    static xcap_direct_return: u8;
    static xcap_direct_return_work: u8;
    static xcap_direct_return_wide: u8;
    static xcap_direct_called_return: u8;
    static xcap_direct_called_return_work: u8;
    static xcap_direct_called_return_wide: u8;
    static xcap_direct_called_away: u8;
    static xcap_direct_shared: u8;
    static xcap_marking_return: u8;
    static xcap_marking_return_work: u8;
    static xcap_marking_called_return: u8;
    static xcap_marking_called_return_work: u8;
    static xcap_marking_shared: u8;
}

const SLOTS: usize = (XCAP_DIRECT_SLOTS + XCAP_MARKING_SLOTS + XCAP_SCOPED_SLOTS) as usize;

/// The cells that slot n records in; null when the slot is free.
#[no_mangle]
static xcap_direct_cells: [AtomicPtr<Cell>; SLOTS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// What slots do with a call, besides timing it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Plain,
    /// It leaves a mark, if it is in scope.
    Marking,
    /// It has to be in scope.
    Scoped,
}

impl Kind {
    const ALL: [Self; 3] = [Kind::Plain, Kind::Marking, Kind::Scoped];

    pub(crate) fn of(target: &Target) -> Self {
        match (target.marking, target.scope) {
            (Some(_), _) => Kind::Marking,
            (None, Some(_)) => Kind::Scoped,
            (None, None) => Kind::Plain,
        }
    }

    /// The numbers of its slots.
    const fn slots(self) -> Range<u32> {
        let (first, count) = match self {
            Kind::Plain => (0, XCAP_DIRECT_SLOTS),
            Kind::Marking => (XCAP_DIRECT_SLOTS, XCAP_MARKING_SLOTS),
            Kind::Scoped => (XCAP_DIRECT_SLOTS + XCAP_MARKING_SLOTS, XCAP_SCOPED_SLOTS),
        };
        first..first + count
    }

    /// What calls whatever the function's entry says is its rest.
    pub(crate) fn shared_rest(self) -> *const u8 {
        match self {
            Kind::Marking => &raw const xcap_marking_shared,
            Kind::Plain | Kind::Scoped => &raw const xcap_direct_shared,
        }
    }

    /// Where the first of them is, and what each takes.
    fn text(self) -> (usize, u32) {
        match self {
            Kind::Plain => ((&raw const xcap_direct_slots).addr(), XCAP_DIRECT_SLOT_SIZE),
            Kind::Marking => (
                (&raw const xcap_marking_slots).addr(),
                XCAP_MARKING_SLOT_SIZE,
            ),
            Kind::Scoped => ((&raw const xcap_scoped_slots).addr(), XCAP_SCOPED_SLOT_SIZE),
        }
    }
}

/// How a function's entry reaches its trampoline.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Variant {
    /// No return is mispredicted because of us.
    Jump,
    /// One return a hit is.
    Call,
}

impl Variant {
    /// What this kernel's ftrace can write.
    pub(crate) const BEST: Self = if cfg!(CONFIG_DYNAMIC_FTRACE_WITH_JMP) {
        Variant::Jump
    } else {
        Variant::Call
    };

    /// Its word in output.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Variant::Jump => "jump",
            Variant::Call => "call",
        }
    }
}

/// A trampoline of our own, until dropped. Nobody may be in it then.
pub(crate) struct Slot(u32);

impl Slot {
    /// One of a kind that records in `cells`, calls `rest` and goes on at `back`; at `away` with a
    /// call that is out of scope.
    pub(crate) fn take(
        cells: *mut Cell,
        kind: Kind,
        rest: *const u8,
        back: *const u8,
        away: *const u8,
    ) -> Result<Self> {
        let slot = kind
            .slots()
            .find(|&index| {
                xcap_direct_cells[index as usize]
                    .compare_exchange(ptr::null_mut(), cells, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            })
            .map(Self)
            .ok_or(ENOSPC)?;
        let [rest, back, away] = [rest, back, away].map(|code| code.cast_mut().cast());
        // SAFETY: Nobody is in the slot, which was free.
        unsafe { xcap_direct_aim(slot.0, rest, back, away) };
        Ok(slot)
    }

    /// Where its code is.
    pub(crate) fn text(&self) -> Range<usize> {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.slots().contains(&self.0));
        kind.map_or(0..0, |kind| {
            let (first, size) = kind.text();
            let begin = first + ((self.0 - kind.slots().start) * size) as usize;
            begin..begin + size as usize
        })
    }

    /// What ftrace knows it by.
    pub(crate) fn entry(&self, variant: Variant) -> c_ulong {
        // SAFETY: Adds up an address.
        unsafe { xcap_direct_entry(self.0, variant == Variant::Jump) }
    }

    pub(crate) fn set_cells(&self, cells: *mut Cell) {
        xcap_direct_cells[self.0 as usize].store(cells, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.set_cells(ptr::null_mut());
    }
}

/// Where a call that is out of scope goes on, if the slot was called.
pub(crate) fn called_away() -> *const u8 {
    &raw const xcap_direct_called_away
}

/// What a slot does when the function has returned: where it was jumped to, and where called.
pub(crate) fn backs(target: &Target) -> Result<[*const u8; 2]> {
    let marks = Kind::of(target) == Kind::Marking;
    Ok(match target.work {
        // These keep both registers of a returned value.
        Work::None if marks => [
            &raw const xcap_marking_return,
            &raw const xcap_marking_called_return,
        ],
        Work::Returned if marks => [
            &raw const xcap_marking_return_work,
            &raw const xcap_marking_called_return_work,
        ],
        Work::None if target.returns_wide => [
            &raw const xcap_direct_return_wide,
            &raw const xcap_direct_called_return_wide,
        ],
        Work::None => [
            &raw const xcap_direct_return,
            &raw const xcap_direct_called_return,
        ],
        Work::Returned => [
            &raw const xcap_direct_return_work,
            &raw const xcap_direct_called_return_work,
        ],
        // The argument is gone by then.
        Work::Argument(_) => return Err(errors::unsupported()),
    })
}
