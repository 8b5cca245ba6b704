// SPDX-License-Identifier: GPL-2.0

//! xcap itself, as the kernel knows it.

use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{bindings::module, prelude::*};

static THIS: AtomicPtr<module> = AtomicPtr::new(ptr::null_mut());

/// To be called before anything else here.
pub(crate) fn init(this: &'static ThisModule) {
    THIS.store(this.as_ptr(), Ordering::Relaxed);
}

pub(crate) fn as_ptr() -> *mut module {
    THIS.load(Ordering::Relaxed)
}

/// Keeps xcap loaded as long as calls may be asleep in a trampoline.
pub(crate) struct Pin;

impl Pin {
    pub(crate) fn take() -> Result<Self> {
        // SAFETY: The module is ours, and running.
        if unsafe { kernel::bindings::try_module_get(as_ptr()) } {
            Ok(Self)
        } else {
            Err(ENODEV)
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: Taken by `take`.
        unsafe { kernel::bindings::module_put(as_ptr()) }
    }
}
