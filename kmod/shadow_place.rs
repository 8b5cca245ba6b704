// SPDX-License-Identifier: GPL-2.0

//! Where fprobes are on the kernel's shadow stacks, while xcap is loaded.
//!
//! All fprobes share one of the shadow stacks' sixteen places: the first takes it, the last gives it
//! back, and places are dealt in turn. A call is marked as its users', and always as place 0's
//! (`set_bitmap` in kernel/trace/fgraph.c). So a call that was asleep when fprobes came to place 0
//! returns to them without their data, and the kernel warns (`fprobe_return`). Hence one fprobe that
//! stays from load to unload, elsewhere than at place 0: `stop`, `start` and `calibrate` move none.

use super::bindings::{fprobe, register_fprobe_ips, unregister_fprobe, xcap_shadowed};
use core::{
    ffi::c_void,
    sync::atomic::{AtomicU64, Ordering},
};
use kernel::{
    bindings::ftrace_regs,
    error::to_result,
    ffi::{c_int, c_ulong},
    prelude::*,
};

/// What the kernel wrote behind the last call's data.
static BEHIND: AtomicU64 = AtomicU64::new(0);

/// What fprobes write before their data, and the data.
const WORDS: u64 = 2;

/// The place that a word behind `WORDS` words of data is for, if it is such a word:
/// `make_data_type_val` in kernel/trace/fgraph.c.
fn place(word: u64) -> Option<u64> {
    const DATA: u64 = 2;
    let (kind, size, place) = (word >> 10 & 3, word >> 12 & 31, word >> 17);
    (kind == DATA && size == WORDS - 1 && place < 16).then_some(place)
}

unsafe extern "C" fn on_entry(
    _fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    _regs: *mut ftrace_regs,
    data: *mut c_void,
) -> c_int {
    // SAFETY: There is one word of data, on a shadow stack that ends well behind it: a word that
    // says what this is always follows.
    let behind = unsafe { data.cast::<u64>().add(1).read() };
    BEHIND.store(behind, Ordering::Relaxed);
    0
}

/// An fprobe is on the shadow stacks only for its return.
unsafe extern "C" fn on_return(
    _fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    _regs: *mut ftrace_regs,
    _data: *mut c_void,
) {
}

/// Keeps fprobes where they are, until dropped.
pub(crate) struct ShadowPlace(KBox<fprobe>);

// SAFETY: The kernel reaches what is inside by its own locking.
unsafe impl Send for ShadowPlace {}
// SAFETY: As above.
unsafe impl Sync for ShadowPlace {}

impl ShadowPlace {
    /// None where the kernel has no fprobes.
    pub(crate) fn keep() -> Result<Option<Self>> {
        // Others' fprobes stay where they are, and then so do ours.
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            let kept = match Self::register() {
                Ok(kept) => kept,
                Err(error) if error == ENOMEM => return Err(error),
                Err(_) => return Ok(None),
            };
            // SAFETY: The function does nothing.
            unsafe { xcap_shadowed() };
            if place(BEHIND.load(Ordering::Relaxed)) != Some(0) {
                return Ok(Some(kept));
            }
        }
        Self::register().map(Some)
    }

    fn register() -> Result<Self> {
        let mut probe = KBox::new(
            fprobe {
                entry_data_size: size_of::<u64>(),
                entry_handler: Some(on_entry),
                exit_handler: Some(on_return),
                ..Default::default()
            },
            GFP_KERNEL,
        )?;
        let mut address = xcap_shadowed as *const () as c_ulong;
        // SAFETY: The fprobe stays where it is until it is unregistered in `drop`; one address is
        // passed.
        to_result(unsafe { register_fprobe_ips(&raw mut *probe, &raw mut address, 1) })?;
        Ok(Self(probe))
    }
}

impl Drop for ShadowPlace {
    fn drop(&mut self) {
        // SAFETY: Registered by `register`. No handler runs afterwards.
        unsafe { unregister_fprobe(&raw mut *self.0) };
    }
}
