// SPDX-License-Identifier: GPL-2.0

//! File operations that belong to this module.

use core::cell::UnsafeCell;
use kernel::{bindings::file_operations, prelude::*};

/// File operations that get their owner when the module is loaded.
pub(crate) struct Operations(UnsafeCell<file_operations>);

// SAFETY: Written once, before there is a file that refers to it.
unsafe impl Sync for Operations {}

impl Operations {
    pub(crate) const fn new(operations: file_operations) -> Self {
        Self(UnsafeCell::new(operations))
    }

    /// Operations of which there are none.
    pub(crate) const fn none() -> file_operations {
        // SAFETY: All fields are pointers, options of functions or integers, for which zero is valid.
        unsafe { core::mem::zeroed() }
    }

    /// Has open files keep `module`.
    ///
    /// # Safety
    ///
    /// No file refers to the operations yet.
    pub(crate) unsafe fn own(&self, module: &'static ThisModule) {
        // SAFETY: By this function's contract.
        unsafe { (*self.0.get()).owner = module.as_ptr() };
    }

    pub(crate) const fn as_ptr(&self) -> *mut file_operations {
        self.0.get()
    }
}
