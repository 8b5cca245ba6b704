// SPDX-License-Identifier: GPL-2.0

//! What nobody waits for is done by a worker of the kernel: what drains is freed when it has, and
//! drivers' functions are armed that came while the lock was held.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::{
    bindings::{xcap_attend_in, xcap_attend_never},
    commands,
    registry::REGISTRY,
};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;

/// How often it looks whether something has drained.
const PERIOD_MS: u32 = 500;

/// A module has come.
static CAME: AtomicBool = AtomicBool::new(false);

/// Attends until dropped.
pub(crate) struct Attendant;

impl Drop for Attendant {
    fn drop(&mut self) {
        // SAFETY: Waits for `xcap_attend`; nobody asks for it any more.
        unsafe { xcap_attend_never() }
    }
}

/// Something drains that nobody waits for.
pub(crate) fn see_to_draining() {
    // SAFETY: Starts a timer.
    unsafe { xcap_attend_in(PERIOD_MS) }
}

/// A module has come, and whoever loads it is not to wait.
pub(crate) fn see_to_modules() {
    CAME.store(true, Ordering::Relaxed);
    // SAFETY: As above.
    unsafe { xcap_attend_in(0) }
}

/// The worker's turn. In kmod/helpers.c is when.
#[no_mangle]
extern "C" fn xcap_attend() {
    let came = CAME.swap(false, Ordering::Relaxed);
    let done = commands::advance_unless_busy(came).unwrap_or_else(|error| {
        pr_warn!("what waited is not armed ({error:?}): write start to control\n");
        true
    });
    if !done {
        CAME.fetch_or(came, Ordering::Relaxed);
    }
    if !done || REGISTRY.lock().is_draining() {
        see_to_draining();
    }
}
