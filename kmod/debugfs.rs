// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs: `xcap/stats`, `per_cpu`, `probes`, `calibration`, `control`, `marks`.
//!
//! With file operations of our own: those of the `kernel` crate have no owner, so that a module
//! could be unloaded with a file open.
//!
//! C header: [`include/linux/debugfs.h`](srctree/include/linux/debugfs.h)

use super::{
    control,
    lines::{self, Lines},
    marks_file,
    operations::Operations,
};
use crate::abi::paths::names;
use core::ptr;
use kernel::{
    bindings::{
        debugfs_create_dir, debugfs_create_file_full, debugfs_remove, dentry, file,
        file_operations, inode, seq_lseek, seq_read, seq_release,
    },
    error::from_err_ptr,
    ffi::c_int,
    prelude::*,
    str::CStr,
};

unsafe extern "C" fn open(inode: *mut inode, file: *mut file) -> c_int {
    // SAFETY: The kernel passes the inode, whose private data is what `Files::create` gave, and a
    // file being opened.
    unsafe { lines::open(file, (*inode).i_private.cast()) }
}

static READ: Operations = Operations::new(file_operations {
    open: Some(open),
    read: Some(seq_read),
    llseek: Some(seq_lseek),
    release: Some(seq_release),
    ..Operations::none()
});

static WRITE: Operations = Operations::new(file_operations {
    write: Some(control::write),
    ..Operations::none()
});

static MARKS: Operations = Operations::new(file_operations {
    open: Some(marks_file::open),
    read: Some(marks_file::read),
    release: Some(marks_file::release),
    ..Operations::none()
});

/// The folder `xcap`, until dropped.
pub(crate) struct Files(*mut dentry);

// SAFETY: The dentry is ours, and debugfs has its own locks.
unsafe impl Send for Files {}
// SAFETY: As above.
unsafe impl Sync for Files {}

impl Files {
    pub(crate) fn create(module: &'static ThisModule) -> Result<Self> {
        for operations in [&READ, &WRITE, &MARKS] {
            // SAFETY: No file refers to them yet.
            unsafe { operations.own(module) };
        }
        let name = names::DIRECTORY.as_char_ptr();
        // SAFETY: The name is a C string; null is debugfs' root.
        let folder = from_err_ptr(unsafe { debugfs_create_dir(name, ptr::null_mut()) });
        let folder = Self(folder.inspect_err(|error| {
            pr_err!("no folder in debugfs ({error:?}): is the kernel booted with debugfs=off?\n");
        })?);
        folder.add(names::STATS, 0o400, Some(&lines::STATS), &READ)?;
        folder.add(names::PER_CPU, 0o400, Some(&lines::PER_CPU), &READ)?;
        folder.add(names::PROBES, 0o400, Some(&lines::PROBES), &READ)?;
        folder.add(names::CALIBRATION, 0o400, Some(&lines::CALIBRATION), &READ)?;
        folder.add(names::CONTROL, 0o200, None, &WRITE)?;
        folder.add(names::MARKS, 0o400, None, &MARKS)?;
        Ok(folder)
    }

    fn add(
        &self,
        name: &CStr,
        mode: u16,
        lines: Option<&'static Lines>,
        operations: &'static Operations,
    ) -> Result {
        let data = lines.map_or(ptr::null(), ptr::from_ref);
        // SAFETY: The folder exists as long as `self`; lines and operations are static.
        from_err_ptr(unsafe {
            debugfs_create_file_full(
                name.as_char_ptr(),
                mode,
                self.0,
                data.cast_mut().cast(),
                ptr::null(),
                operations.as_ptr(),
            )
        })?;
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // SAFETY: The folder is ours; waits for whoever is in one of our functions.
        unsafe { debugfs_remove(self.0) }
    }
}
