// SPDX-License-Identifier: GPL-2.0

//! Drivers that are loaded and unloaded while their functions are, or could be, probed.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use super::{attendant, commands, registry::REGISTRY, this_module};
use core::ffi::c_void;
use kernel::{
    bindings::{
        module, module_state_MODULE_STATE_COMING, module_state_MODULE_STATE_GOING, notifier_block,
        register_module_notifier, unregister_module_notifier,
    },
    error::to_result,
    ffi::{c_int, c_ulong},
    prelude::*,
    str::CStr,
};

/// Hears of modules, until dropped.
pub(crate) struct Watch(KBox<notifier_block>);

// SAFETY: The block is changed under the kernel's own lock.
unsafe impl Send for Watch {}
// SAFETY: As above.
unsafe impl Sync for Watch {}

unsafe extern "C" fn on_module(
    _block: *mut notifier_block,
    state: c_ulong,
    data: *mut c_void,
) -> c_int {
    const NOTIFY_DONE: c_int = 0;
    let module = data.cast::<module>();
    if module == this_module::as_ptr() {
        return NOTIFY_DONE;
    }
    if state == module_state_MODULE_STATE_COMING as c_ulong {
        match commands::advance_unless_busy(true) {
            Ok(true) => {}
            // A command is under way, which can take minutes.
            Ok(false) => attendant::see_to_modules(),
            Err(error) => pr_warn!("stages of a new module are not armed ({error:?})\n"),
        }
    } else if state == module_state_MODULE_STATE_GOING as c_ulong {
        // SAFETY: The kernel passes a module, whose name is a C string.
        let name = unsafe { CStr::from_ptr((&raw const (*module).name).cast()) };
        REGISTRY.lock().module_goes(name);
    }
    NOTIFY_DONE
}

impl Watch {
    pub(crate) fn start() -> Result<Self> {
        let mut watch = Self(KBox::new(
            notifier_block {
                notifier_call: Some(on_module),
                ..Default::default()
            },
            GFP_KERNEL,
        )?);
        // SAFETY: The block stays where it is until it is unregistered in `drop`.
        to_result(unsafe { register_module_notifier(&raw mut *watch.0) })?;
        Ok(watch)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: Registered by `start`, or not at all, which is harmless.
        unsafe { unregister_module_notifier(&raw mut *self.0) };
    }
}
