// SPDX-License-Identifier: GPL-2.0

//! Changes the CPU's stamp whenever it switches tasks.
//!
//! So a call sees from the stamp alone that another task ran in between, or that it was moved to
//! another CPU: what completed on the CPU meanwhile is then not what nested in the call.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use super::{bindings, cpu, epoch, nokprobe::nokprobe};
use core::ffi::c_void;
use core::ptr;
use kernel::{bindings::tracepoint, ffi::c_uint, prelude::*, str::CStr};

/// The tracepoint that is hit at each switch.
const TRACEPOINT: &CStr = c"sched_switch";

/// Watches from [`Watch::start`] until it is dropped.
pub(crate) struct Watch {
    tracepoint: *mut tracepoint,
}

// SAFETY: The tracepoint is part of the kernel's image; its functions may be called by any thread.
unsafe impl Send for Watch {}
// SAFETY: As above.
unsafe impl Sync for Watch {}

unsafe extern "C" fn on_switch(
    _data: *mut c_void,
    _preempt: bool,
    _prev: *mut kernel::bindings::task_struct,
    _next: *mut kernel::bindings::task_struct,
    _prev_state: c_uint,
) {
    cpu::bump_stamp();
}

nokprobe!(on_switch);

unsafe extern "C" fn find(candidate: *mut tracepoint, found: *mut c_void) {
    // SAFETY: The kernel passes its tracepoints, whose names are C strings, and our pointer.
    unsafe {
        if CStr::from_ptr((*candidate).name.cast()) == TRACEPOINT {
            *found.cast() = candidate;
        }
    }
}

impl Watch {
    /// Gives every CPU its stamp and starts to change them.
    pub(crate) fn start() -> Result<Self> {
        let mut tracepoint: *mut tracepoint = ptr::null_mut();
        // SAFETY: `find` takes a pointer to such a variable.
        unsafe {
            kernel::bindings::for_each_kernel_tracepoint(Some(find), (&raw mut tracepoint).cast())
        };
        if tracepoint.is_null() {
            pr_err!("this kernel has no tracepoint sched_switch\n");
            return Err(ENODEV);
        }
        epoch::init();
        // SAFETY: `on_switch` has the tracepoint's prototype after the data argument.
        kernel::error::to_result(unsafe {
            kernel::bindings::tracepoint_probe_register(
                tracepoint,
                on_switch as *const () as *mut c_void,
                ptr::null_mut(),
            )
        })?;
        Ok(Self { tracepoint })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: Registered by `start`, with the same arguments; afterwards no CPU is in
        // `on_switch` any more.
        unsafe {
            kernel::bindings::tracepoint_probe_unregister(
                self.tracepoint,
                on_switch as *const () as *mut c_void,
                ptr::null_mut(),
            );
            bindings::xcap_tracepoint_synchronize();
        }
    }
}
