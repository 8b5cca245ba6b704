// SPDX-License-Identifier: GPL-2.0

//! What is needed of QEMU itself.
//!
//! Its interface for plugins has neither a clock nor a network. The program exports its own functions, though, for
//! its modules, and these have been the same since QEMU 9.0. Where one is missing QEMU refuses to load the plugin,
//! and names it.

use std::ffi::{c_char, c_int, c_void, CStr};

/// A client of QEMU's network: one end of a cable.
#[repr(C)]
pub struct NetClient {
    _opaque: [u8; 0],
}

/// Memory for a `QEMUTimer`, more than it takes.
#[repr(C, align(16))]
pub struct Timer([u8; 256]);

impl Timer {
    pub const fn new() -> Self {
        Self([0; 256])
    }
}

type Expired = unsafe extern "C" fn(*mut c_void);

/// `QEMU_CLOCK_VIRTUAL`: the machine's own time.
const VIRTUAL: c_int = 1;

extern "C" {
    fn bql_lock_impl(file: *const c_char, line: c_int);
    fn bql_unlock();
    fn timer_init_full(
        timer: *mut Timer,
        group: *mut c_void,
        clock: c_int,
        scale: c_int,
        attributes: c_int,
        expired: Expired,
        data: *mut c_void,
    );
    fn timer_mod(timer: *mut Timer, at: i64);
    fn qemu_clock_get_ns(clock: c_int) -> i64;
    fn icount_get_raw() -> i64;
    fn qemu_find_netdev(id: *const c_char) -> *mut NetClient;
    fn qemu_can_send_packet(from: *mut NetClient) -> c_int;
    fn qemu_send_packet(from: *mut NetClient, frame: *const u8, length: c_int) -> isize;
}

/// Does something while nothing else in QEMU does.
pub fn alone<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: The file's name is a string that stays; no thread of ours holds the lock already.
    unsafe { bql_lock_impl(c"xcap".as_ptr(), 0) };
    let result = act();
    // SAFETY: It was taken above.
    unsafe { bql_unlock() };
    result
}

/// Has `expired` called in the machine's time, with the lock held.
///
/// # Safety
///
/// The timer stays where it is for ever, and the lock is held.
pub unsafe fn init_timer(timer: *mut Timer, expired: Expired) {
    let nobody = std::ptr::null_mut();
    // SAFETY: The caller's promise; no group is the main one, and a scale of 1 means nanoseconds.
    unsafe { timer_init_full(timer, nobody, VIRTUAL, 1, 0, expired, nobody) };
}

/// # Safety
///
/// The timer is initialised, and the lock is held.
pub unsafe fn set_timer(timer: *mut Timer, at: u64) {
    // SAFETY: The caller's promise.
    unsafe { timer_mod(timer, at as i64) };
}

/// The machine's time.
pub fn now() -> u64 {
    // SAFETY: It may be asked at any time.
    unsafe { qemu_clock_get_ns(VIRTUAL) as u64 }
}

/// Instructions that the machine has executed.
pub fn instructions() -> u64 {
    // SAFETY: As above; without an instruction clock it is 0.
    unsafe { icount_get_raw() as u64 }
}

/// The cable of this id.
pub fn cable(id: &CStr) -> Option<*mut NetClient> {
    // SAFETY: The id is a string, and only read.
    let client = unsafe { qemu_find_netdev(id.as_ptr()) };
    (!client.is_null()).then_some(client)
}

/// Hands a frame to the card at the cable's other end, if that has room for it.
///
/// # Safety
///
/// `cable` is one that QEMU has, and the lock is held.
pub unsafe fn send(cable: *mut NetClient, frame: &[u8]) -> bool {
    // SAFETY: The caller's promise; the frame is copied before this returns.
    unsafe {
        qemu_can_send_packet(cable) != 0
            && qemu_send_packet(cable, frame.as_ptr(), frame.len() as c_int) != 0
    }
}
