// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs: `xcap/stats`, `per_cpu`, `probes`, `calibration`, `control`, `marks`.
//!
//! With file operations of our own: those of the `kernel` crate have no owner, so that a module
//! could be unloaded with a file open.
//!
//! C headers: [`include/linux/debugfs.h`](srctree/include/linux/debugfs.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use super::{
    control, marks_file,
    registry::{Registry, REGISTRY},
    report,
};
use crate::abi::paths::names;
use core::{cell::UnsafeCell, ffi::c_void, ptr};
use kernel::{
    bindings::{
        debugfs_create_dir, debugfs_create_file_full, debugfs_remove, dentry, file,
        file_operations, inode, loff_t, seq_file, seq_lseek, seq_open, seq_operations, seq_read,
        seq_release,
    },
    error::from_err_ptr,
    ffi::{c_char, c_int},
    prelude::*,
    seq_file::SeqFile,
    str::CStr,
    uaccess::{UserPtr, UserSlice},
};

/// The most that one write to `control` can hold.
const LONGEST_COMMAND: usize = 1024;

/// A file of lines: line 0 is the header, then come the items, then the end.
struct Lines {
    /// How many items there are now.
    items: fn(&Registry) -> usize,
    header: fn(&SeqFile, &Registry),
    /// Shows an item.
    item: fn(&SeqFile, &Registry, usize) -> Result,
    end: fn(&SeqFile),
}

static STATS: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: report::header,
    item: |out, registry, index| report::stats(out, &registry.probes[index]),
    end: report::end,
};

static PER_CPU: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: report::per_cpu_header,
    item: |out, registry, index| report::per_cpu(out, &registry.probes[index]),
    end: report::end,
};

static PROBES: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: |out, _| {
        kernel::seq_print!(out, "# name function module backend state reason\n");
    },
    item: |out, registry, index| {
        report::probe(out, &registry.probes[index]);
        Ok(())
    },
    end: |_| {},
};

static CALIBRATION: Lines = Lines {
    items: |registry| {
        let calibration = registry.context.calibration.as_ref();
        calibration.map_or(0, |calibration| calibration.measured.len())
    },
    header: report::header,
    item: |out, registry, index| {
        if let Some(calibration) = &registry.context.calibration {
            report::calibration(out, &calibration.measured[index]);
        }
        Ok(())
    },
    end: report::end,
};

/// The `Lines` of an open file.
///
/// # Safety
///
/// `out` is a `seq_file` opened by [`open`].
unsafe fn lines<'a>(out: *mut seq_file) -> &'a Lines {
    // SAFETY: `open` stored a pointer to a static.
    unsafe { &*(*out).private.cast() }
}

/// The line `# end`, whatever its position.
const END: usize = 1 << (usize::BITS - 2);

/// The position after the end. Whoever reads on finds nothing there, though probes be added meanwhile.
const DONE: loff_t = loff_t::MAX;

/// Position 0 is the header, those after the items the end; an item's token is its position and one.
fn token(position: loff_t, items: usize) -> *mut c_void {
    if position == DONE {
        ptr::null_mut()
    } else if position as usize <= items {
        ptr::without_provenance_mut(position as usize + 1)
    } else {
        ptr::without_provenance_mut(END)
    }
}

unsafe extern "C" fn start(out: *mut seq_file, position: *mut loff_t) -> *mut c_void {
    // SAFETY: The kernel passes an open file of ours, and its position.
    unsafe { token(*position, (lines(out).items)(&REGISTRY.lock())) }
}

unsafe extern "C" fn next(
    out: *mut seq_file,
    line: *mut c_void,
    position: *mut loff_t,
) -> *mut c_void {
    // SAFETY: As in `start`.
    unsafe {
        *position = if line.addr() == END {
            DONE
        } else {
            *position + 1
        };
        start(out, position)
    }
}

unsafe extern "C" fn stop(_out: *mut seq_file, _line: *mut c_void) {}

unsafe extern "C" fn show(out: *mut seq_file, line: *mut c_void) -> c_int {
    // SAFETY: The kernel passes an open file of ours, for our use alone during the call.
    let (lines, out) = unsafe { (lines(out), SeqFile::from_raw(out)) };
    let registry = REGISTRY.lock();
    let result = match line.addr() {
        END => {
            (lines.end)(out);
            Ok(())
        }
        1 => {
            (lines.header)(out, &registry);
            Ok(())
        }
        token if token - 1 <= (lines.items)(&registry) => (lines.item)(out, &registry, token - 2),
        // Deleted since its token was made.
        _ => Ok(()),
    };
    result.map_or_else(|error| error.to_errno(), |()| 0)
}

static SEQUENCE: seq_operations = seq_operations {
    start: Some(start),
    stop: Some(stop),
    next: Some(next),
    show: Some(show),
};

unsafe extern "C" fn open(inode: *mut inode, file: *mut file) -> c_int {
    // SAFETY: The kernel passes the inode, whose private data is what `Files::create` gave, and a
    // file being opened.
    unsafe {
        let error = seq_open(file, &SEQUENCE);
        if error == 0 {
            (*(*file).private_data.cast::<seq_file>()).private = (*inode).i_private;
        }
        error
    }
}

unsafe extern "C" fn write(
    _file: *mut file,
    buffer: *const c_char,
    length: usize,
    _position: *mut loff_t,
) -> isize {
    let run = || -> Result {
        if length > LONGEST_COMMAND {
            return Err(EINVAL);
        }
        let mut command = KVec::new();
        UserSlice::new(UserPtr::from_ptr(buffer.cast_mut().cast()), length)
            .read_all(&mut command, GFP_KERNEL)?;
        control::run(&command)
    };
    run().map_or_else(|error| error.to_errno() as isize, |()| length as isize)
}

/// File operations that get their owner when the module is loaded.
struct Operations(UnsafeCell<file_operations>);

// SAFETY: Written once, before there is a file that refers to it.
unsafe impl Sync for Operations {}

static READ: Operations = Operations(UnsafeCell::new(file_operations {
    open: Some(open),
    read: Some(seq_read),
    llseek: Some(seq_lseek),
    release: Some(seq_release),
    ..unsafe_default()
}));

static WRITE: Operations = Operations(UnsafeCell::new(file_operations {
    write: Some(write),
    ..unsafe_default()
}));

static MARKS: Operations = Operations(UnsafeCell::new(file_operations {
    open: Some(marks_file::open),
    read: Some(marks_file::read),
    release: Some(marks_file::release),
    ..unsafe_default()
}));

const fn unsafe_default() -> file_operations {
    // SAFETY: All fields are pointers, options of functions or integers, for which zero is valid.
    unsafe { core::mem::zeroed() }
}

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
            unsafe { (*operations.0.get()).owner = module.as_ptr() };
        }
        let name = names::DIRECTORY.as_char_ptr();
        // SAFETY: The name is a C string; null is debugfs' root.
        let folder = from_err_ptr(unsafe { debugfs_create_dir(name, ptr::null_mut()) });
        let folder = Self(folder.inspect_err(|error| {
            pr_err!("no folder in debugfs ({error:?}): is the kernel booted with debugfs=off?\n");
        })?);
        folder.add(names::STATS, 0o400, Some(&STATS), &READ)?;
        folder.add(names::PER_CPU, 0o400, Some(&PER_CPU), &READ)?;
        folder.add(names::PROBES, 0o400, Some(&PROBES), &READ)?;
        folder.add(names::CALIBRATION, 0o400, Some(&CALIBRATION), &READ)?;
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
                operations.0.get(),
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
