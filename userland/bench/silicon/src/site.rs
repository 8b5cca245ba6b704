// SPDX-License-Identifier: GPL-2.0

//! What ftrace does to a function's first five bytes, done to the functions here.

use anyhow::{bail, Result};

/// Bytes of a call, of a jump, and of what stands in their place in a function that isn't probed.
pub const SIZE: usize = 5;
const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;

/// How a probed function gets to the trampoline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Call,
    Jump,
}

/// Code that was written over; as before when dropped.
#[must_use]
pub struct Patch {
    at: *mut [u8; SIZE],
    before: [u8; SIZE],
}

impl Patch {
    /// Makes the five bytes at `at` go to `target`.
    ///
    /// # Safety
    ///
    /// `at` is a site of asm/chains.S or a call of a trampoline's, `target` follows the convention
    /// that belongs to it, and nothing executes there meanwhile, nor when this is dropped.
    pub unsafe fn new(at: *const u8, entry: Entry, target: *const u8) -> Result<Self> {
        let distance = (target as i64) - (at as i64 + SIZE as i64);
        let Ok(distance) = i32::try_from(distance) else {
            bail!("a trampoline is {distance} bytes away: no call reaches it");
        };
        let mut code = [match entry {
            Entry::Call => CALL,
            Entry::Jump => JUMP,
        }; SIZE];
        code[1..].copy_from_slice(&distance.to_le_bytes());
        let at = at.cast_mut().cast::<[u8; SIZE]>();
        // SAFETY: The image's code may be read and, by the caller's promise, written.
        let before = unsafe { at.read_unaligned() };
        // SAFETY: As above.
        unsafe { at.write_unaligned(code) };
        Ok(Self { at, before })
    }
}

impl Drop for Patch {
    fn drop(&mut self) {
        // SAFETY: Whoever made this promised that nothing executes there.
        unsafe { self.at.write_unaligned(self.before) };
    }
}
