// SPDX-License-Identifier: GPL-2.0

//! The file `marks`: the binary stream of abi/src/mark.rs. What was read is gone from it.
//!
//! One reader at a time. Whoever has it open keeps the rings that it was opened on: after the next
//! `marks on` it reads what is left in those, and then nothing.

use super::{
    bindings::xcap_xen_time,
    cpu, errors,
    mark_rings::{append, Rings},
    registry::REGISTRY,
};
use crate::abi::mark::{Mark, XenTime};
use core::sync::atomic::{AtomicBool, Ordering};
use core::{cell::UnsafeCell, ptr};
use kernel::{
    bindings::{file, inode, loff_t},
    ffi::{c_char, c_int},
    prelude::*,
    sync::Arc,
    uaccess::{UserPtr, UserSlice},
};

/// The most that one read gives.
const MOST: usize = 64 << 10;

/// Readings of Xen's time, of which the narrowest counts.
const TRIES: usize = 8;

/// What of the stream is not in the rings.
struct State {
    /// The header, then what was taken from the rings last; and how much of that was read.
    taken: KVec<u8>,
    read: usize,
    /// What was said of each CPU's losses.
    lost: KVec<u32>,
    /// Marks were taken, and nothing has been said since of losses and time.
    is_news: bool,
}

/// The open file.
struct Open {
    rings: Arc<Rings>,
    /// A lock: somebody reads.
    busy: AtomicBool,
    state: UnsafeCell<State>,
}

/// Xen's time, where there is one.
fn xen_time() -> Option<Mark> {
    let mut narrowest: Option<XenTime> = None;
    for _ in 0..TRIES {
        let (mut after, mut nanoseconds, mut before) = (0, 0, 0);
        // SAFETY: Writes to the three.
        if !unsafe { xcap_xen_time(&raw mut after, &raw mut nanoseconds, &raw mut before) } {
            return None;
        }
        let width = |time: XenTime| time.before.wrapping_sub(time.after);
        let time = XenTime {
            after,
            before,
            nanoseconds,
        };
        if narrowest.is_none_or(|other| width(time) < width(other)) {
            narrowest = Some(time);
        }
    }
    narrowest.map(Mark::reading)
}

fn try_open() -> Result<KBox<Open>> {
    let rings = REGISTRY.lock().rings.clone();
    // No marks were ever left.
    let rings = rings.ok_or_else(errors::no_data)?;
    let mut head = KVec::with_capacity(rings.header.len() + Mark::SIZE, GFP_KERNEL)?;
    head.extend_from_slice(&rings.header, GFP_KERNEL)?;
    let cpus = cpu::possible().last().map_or(0, |cpu| cpu as usize + 1);
    let mut open = KBox::new(
        Open {
            rings,
            busy: AtomicBool::new(false),
            state: UnsafeCell::new(State {
                taken: head,
                read: 0,
                lost: KVec::from_elem(0, cpus, GFP_KERNEL)?,
                is_news: true,
            }),
        },
        GFP_KERNEL,
    )?;
    if !open.rings.claim() {
        return Err(EBUSY);
    }
    if let Some(time) = xen_time() {
        append(&mut open.state.get_mut().taken, &time, usize::MAX);
    }
    Ok(open)
}

impl Open {
    /// Reads on, as much as there is, `length` bytes at most.
    fn read(&self, state: &mut State, to: UserPtr, length: usize) -> Result<usize> {
        if state.read == state.taken.len() {
            self.take(state, length)?;
        }
        let rest = &state.taken[state.read..];
        let part = &rest[..rest.len().min(length)];
        UserSlice::new(to, length).writer().write_slice(part)?;
        state.read += part.len();
        Ok(part.len())
    }

    /// Takes marks for `length` bytes from the rings. Each is whole: a read can end within one, of
    /// which the next gives the rest.
    fn take(&self, state: &mut State, length: usize) -> Result {
        let marks = length.div_ceil(Mark::SIZE).min(MOST / Mark::SIZE);
        let mut taken = KVec::with_capacity(marks * Mark::SIZE, GFP_KERNEL)?;
        for cpu in cpu::possible() {
            let count = self.rings.peek(cpu, &mut taken, marks);
            self.rings.forget(cpu, count);
        }
        state.is_news |= !taken.is_empty();
        if state.is_news && self.say(&mut taken, marks, &mut state.lost) {
            state.is_news = false;
        }
        state.taken = taken;
        state.read = 0;
        Ok(())
    }

    /// Appends what was lost, and the time, to marks that were all that there were. False: there is
    /// no room for that.
    fn say(&self, taken: &mut KVec<u8>, marks: usize, lost: &mut [u32]) -> bool {
        for cpu in cpu::possible() {
            let now = self.rings.lost(cpu);
            let said = &mut lost[cpu as usize];
            if now != *said {
                if !append(taken, &Mark::loss(cpu as u16, now), marks) {
                    return false;
                }
                *said = now;
            }
        }
        taken.len() < marks * Mark::SIZE
            && xen_time().is_none_or(|time| append(taken, &time, marks))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.rings.release();
    }
}

pub(crate) unsafe extern "C" fn open(_inode: *mut inode, file: *mut file) -> c_int {
    match try_open() {
        Ok(open) => {
            // SAFETY: The kernel passes a file that is being opened.
            unsafe { (*file).private_data = KBox::into_raw(open).cast() };
            0
        }
        Err(error) => error.to_errno(),
    }
}

pub(crate) unsafe extern "C" fn read(
    file: *mut file,
    buffer: *mut c_char,
    length: usize,
    _position: *mut loff_t,
) -> isize {
    // SAFETY: `open` stored it, and the file is open.
    let open = unsafe { &*(*file).private_data.cast::<Open>() };
    if open.busy.swap(true, Ordering::Acquire) {
        return EBUSY.to_errno() as isize;
    }
    // SAFETY: `busy` is ours.
    let state = unsafe { &mut *open.state.get() };
    let read = open.read(state, UserPtr::from_ptr(buffer.cast()), length);
    open.busy.store(false, Ordering::Release);
    read.map_or_else(|error| error.to_errno() as isize, |read| read as isize)
}

pub(crate) unsafe extern "C" fn release(_inode: *mut inode, file: *mut file) -> c_int {
    // SAFETY: `open` stored it; nobody reads any more.
    unsafe {
        let open = (*file).private_data.cast::<Open>();
        (*file).private_data = ptr::null_mut();
        drop(KBox::from_raw(open));
    }
    0
}
