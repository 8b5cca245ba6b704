// SPDX-License-Identifier: GPL-2.0

//! The backend `direct`: ftrace calls a trampoline of ours straight from the function's entry.
//!
//! The trampolines are in kmod/hot_path.S.
//!
//! C header: [`include/linux/ftrace.h`](srctree/include/linux/ftrace.h)

use super::{
    bindings::{XCAP_DIRECT_SLOTS, XCAP_DIRECT_SLOT_SIZE},
    cell::Cell,
    cells::Cells,
    errors,
    stages::Work,
    target::Target,
};
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{
    bindings::{
        ftrace_free_filter, ftrace_ops, ftrace_set_filter_ip, register_ftrace_direct,
        synchronize_rcu_tasks, synchronize_rcu_tasks_rude, unregister_ftrace_direct,
    },
    error::to_result,
    ffi::c_ulong,
    prelude::*,
};

extern "C" {
    static xcap_direct_slots: u8;
    static xcap_direct_return: u8;
    static xcap_direct_return_work: u8;
    static xcap_direct_return_wide: u8;
}

/// The cells that slot n records in; null when the slot is free.
#[no_mangle]
static xcap_direct_cells: [AtomicPtr<Cell>; XCAP_DIRECT_SLOTS as usize] =
    [const { AtomicPtr::new(ptr::null_mut()) }; XCAP_DIRECT_SLOTS as usize];

/// A trampoline of our own, until dropped. Nobody may be in it then.
struct Slot(usize);

impl Slot {
    fn take(cells: *mut Cell) -> Result<Self> {
        xcap_direct_cells
            .iter()
            .position(|slot| {
                slot.compare_exchange(ptr::null_mut(), cells, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            })
            .map(Self)
            .ok_or(ENOSPC)
    }

    fn address(&self) -> c_ulong {
        let slots = &raw const xcap_direct_slots;
        slots as c_ulong + self.0 as c_ulong * XCAP_DIRECT_SLOT_SIZE as c_ulong
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        xcap_direct_cells[self.0].store(ptr::null_mut(), Ordering::Relaxed);
    }
}

/// A function hooked by a direct call.
///
/// Drop it only when it is disarmed, no call is in flight, and [`synchronize`] was called after
/// both: calls return through the slot.
pub(crate) struct Hook {
    slot: Slot,
    ops: KBox<ftrace_ops>,
    address: usize,
    armed: bool,
}

// SAFETY: What is inside is reached by the kernel's own locking, or fixed while registered.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

impl Hook {
    pub(crate) fn arm(target: &Target, cells: &Cells) -> Result<Self> {
        let return_to = match target.work {
            Work::None if target.returns_wide => &raw const xcap_direct_return_wide,
            Work::None => &raw const xcap_direct_return,
            Work::Returned => &raw const xcap_direct_return_work,
            // The argument is gone by then.
            Work::Argument(_) => return Err(errors::unsupported()),
        };
        cells.set_constants(target.constants(return_to as usize));
        let mut hook = Self {
            slot: Slot::take(cells.as_ptr())?,
            ops: KBox::new(ftrace_ops::default(), GFP_KERNEL)?,
            address: target.address,
            armed: false,
        };
        hook.rearm()?;
        Ok(hook)
    }

    /// Lets calls in again.
    pub(crate) fn rearm(&mut self) -> Result {
        let ops = &raw mut *self.ops;
        // SAFETY: The ops stay where they are until they are unregistered in `disarm`.
        to_result(unsafe { ftrace_set_filter_ip(ops, self.address as c_ulong, 0, 0) })?;
        // SAFETY: As above; the slot keeps to what ftrace asks of a direct call.
        let result = to_result(unsafe { register_ftrace_direct(ops, self.slot.address()) });
        if result.is_err() {
            // SAFETY: The filter was set above, and the ops are not registered.
            unsafe { ftrace_free_filter(ops) };
        }
        self.armed = result.is_ok();
        result
    }

    /// Lets no further call in. Calls that are in flight still return through the slot.
    pub(crate) fn disarm(&mut self) {
        if core::mem::take(&mut self.armed) {
            // SAFETY: Registered by `rearm` with the same address.
            unsafe {
                unregister_ftrace_direct(&raw mut *self.ops, self.slot.address(), true);
            }
        }
    }
}

/// Waits until no task is in those instructions of a trampoline where its call is not yet, or no
/// longer, counted as in flight. A task may have been preempted there, an idle task interrupted.
pub(crate) fn synchronize() {
    // SAFETY: Called from process context.
    unsafe {
        synchronize_rcu_tasks();
        synchronize_rcu_tasks_rude();
    }
}
