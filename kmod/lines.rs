// SPDX-License-Identifier: GPL-2.0

//! Files that are read a line at a time: what each of them holds.
//!
//! C header: [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use super::{
    registry::{Registry, REGISTRY},
    report,
};
use core::{ffi::c_void, ptr};
use kernel::{
    bindings::{file, loff_t, seq_file, seq_open, seq_operations},
    ffi::c_int,
    prelude::*,
    seq_file::SeqFile,
};

/// A file of lines: line 0 is the header, then come the items, then the end.
pub(crate) struct Lines {
    /// How many items there are now.
    items: fn(&Registry) -> usize,
    header: fn(&SeqFile, &Registry),
    /// Shows an item.
    item: fn(&SeqFile, &Registry, usize) -> Result,
    end: fn(&SeqFile),
}

pub(crate) static STATS: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: report::header,
    item: |out, registry, index| {
        if registry.shows(index) {
            report::stats(out, &registry.probes[index])?;
        }
        Ok(())
    },
    end: report::end,
};

pub(crate) static PER_CPU: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: report::per_cpu_header,
    item: |out, registry, index| report::per_cpu(out, &registry.probes[index]),
    end: report::end,
};

pub(crate) static PROBES: Lines = Lines {
    items: |registry| registry.probes.len(),
    header: |out, _| {
        kernel::seq_print!(out, "# name function module backend state reason\n");
    },
    item: |out, registry, index| {
        if registry.shows(index) {
            report::probe(out, &registry.probes[index]);
        }
        Ok(())
    },
    end: |_| {},
};

pub(crate) static CALIBRATION: Lines = Lines {
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

/// Has a file being opened show these lines.
///
/// # Safety
///
/// `file` is a file being opened, whose private data is null.
pub(crate) unsafe fn open(file: *mut file, lines: *const Lines) -> c_int {
    // SAFETY: By this function's contract; `seq_open` makes a `seq_file` the private data.
    unsafe {
        let error = seq_open(file, &SEQUENCE);
        if error == 0 {
            (*(*file).private_data.cast::<seq_file>()).private = lines.cast_mut().cast();
        }
        error
    }
}
