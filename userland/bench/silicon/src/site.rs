// SPDX-License-Identifier: GPL-2.0

//! What ftrace does to a function's first five bytes, done to the functions here.

use anyhow::{bail, Context, Result};
use nix::sys::mman::{mprotect, ProtFlags};
use std::ffi::c_void;
use std::ptr::NonNull;

const SIZE: usize = 5;
const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;
const PAGE: usize = 4096;

/// How a probed function gets to the trampoline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Call,
    Jump,
}

/// Code that was written over; as before when dropped.
#[must_use]
pub struct Patch {
    at: *const u8,
    before: [u8; SIZE],
}

impl Patch {
    /// Makes the five bytes at `at` go to `target`.
    ///
    /// # Safety
    ///
    /// `at` is a site of asm/chains.S or a trampoline's own jump, `target` follows the convention
    /// that belongs to it, and nothing executes there meanwhile.
    pub unsafe fn new(at: *const u8, entry: Entry, target: *const u8) -> Result<Self> {
        let distance = (target as i64) - (at as i64 + SIZE as i64);
        let Ok(distance) = i32::try_from(distance) else {
            bail!("a trampoline is {distance} bytes away: the program is larger than a kernel");
        };
        let mut code = [match entry {
            Entry::Call => CALL,
            Entry::Jump => JUMP,
        }; SIZE];
        code[1..].copy_from_slice(&distance.to_le_bytes());
        // SAFETY: Of five bytes of code any may be read.
        let before = unsafe { at.cast::<[u8; SIZE]>().read_unaligned() };
        // SAFETY: The caller's promise.
        unsafe { write(at, code)? };
        Ok(Self { at, before })
    }
}

impl Drop for Patch {
    fn drop(&mut self) {
        // SAFETY: Whoever made this promised that nobody executes there.
        if let Err(e) = unsafe { write(self.at, self.before) } {
            eprintln!("xcap-bench: {e:#}");
            std::process::abort();
        }
    }
}

/// # Safety
///
/// `at` is in this program's code, which nothing executes there now.
unsafe fn write(at: *const u8, code: [u8; SIZE]) -> Result<()> {
    let begin = at as usize & !(PAGE - 1);
    let end = (at as usize + SIZE).next_multiple_of(PAGE);
    let protect = |flags| -> Result<()> {
        let pages = NonNull::new(begin as *mut c_void).context("no code lies at 0")?;
        // SAFETY: Pages of this program's code, which stay readable and executable.
        unsafe { mprotect(pages, end - begin, flags) }.context(
            "cannot write to this program's code, as ftrace does to the kernel's: \
             a security module forbids it (SELinux: execmod)",
        )
    };
    let code_flags = ProtFlags::PROT_READ | ProtFlags::PROT_EXEC;
    protect(code_flags | ProtFlags::PROT_WRITE)?;
    // SAFETY: Writable now, and by the caller's promise not executed.
    unsafe { at.cast_mut().cast::<[u8; SIZE]>().write_unaligned(code) };
    protect(code_flags)
}
