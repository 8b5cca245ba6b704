// SPDX-License-Identifier: GPL-2.0

//! `/dev/xcap`: read, it is `stats`; written, it is `control`.
//!
//! For kernels that are locked down, which refuse whoever opens a file of debugfs for writing.
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use super::{bindings::xcap_may_open, control, lines, operations::Operations};
use crate::abi::paths::DEVICE_NAME;
use core::{mem, ptr};
use kernel::{
    bindings::{
        file, file_operations, inode, misc_deregister, misc_register, miscdevice, seq_lseek,
        seq_read, seq_release, MISC_DYNAMIC_MINOR,
    },
    error::to_result,
    ffi::c_int,
    prelude::*,
    types::Opaque,
};

static OPERATIONS: Operations = Operations::new(file_operations {
    open: Some(open),
    read: Some(seq_read),
    write: Some(control::write),
    llseek: Some(seq_lseek),
    release: Some(seq_release),
    ..Operations::none()
});

unsafe extern "C" fn open(_inode: *mut inode, file: *mut file) -> c_int {
    // SAFETY: The kernel passes a file being opened, in process context.
    let refused = unsafe { xcap_may_open(file) };
    if refused != 0 {
        return refused;
    }
    // SAFETY: The file is for our use alone. What misc_open() left there is not needed.
    unsafe {
        (*file).private_data = ptr::null_mut();
        lines::open(file, &lines::STATS)
    }
}

/// The device, until dropped.
pub(crate) struct Device(Pin<KBox<Opaque<miscdevice>>>);

// SAFETY: It is registered, which has its own locks, and not touched until it is dropped.
unsafe impl Send for Device {}
// SAFETY: As above.
unsafe impl Sync for Device {}

impl Device {
    pub(crate) fn create(module: &'static ThisModule) -> Result<Self> {
        // SAFETY: No file refers to them yet.
        unsafe { OPERATIONS.own(module) };
        // SAFETY: All fields are pointers or integers, for which zero is valid.
        let mut device: miscdevice = unsafe { mem::zeroed() };
        device.minor = MISC_DYNAMIC_MINOR as c_int;
        device.name = DEVICE_NAME.as_char_ptr();
        device.fops = OPERATIONS.as_ptr();
        device.mode = 0o600;
        let device = KBox::into_pin(KBox::new(Opaque::new(device), GFP_KERNEL)?);
        // SAFETY: It stays where it is until it is taken back, in `drop`.
        to_result(unsafe { misc_register(device.get()) })?;
        Ok(Self(device))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: `create` registered it.
        unsafe { misc_deregister(self.0.get()) }
    }
}
