// SPDX-License-Identifier: GPL-2.0

//! What a program in an emulated machine says to the emulator's plugin: instructions that do nothing, and that nothing
//! else executes.

use core::arch::asm;

/// `nopl displacement(%rax,%rax,1)`, without its displacement.
const NOPL: [u8; 4] = [0x0f, 0x1f, 0x84, 0x00];

const BEGIN: u32 = 0x7863_6101;
const END: u32 = 0x7863_6102;

/// What a CPU says to the plugin by executing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    Begin,
    End,
}

impl Marker {
    /// Bytes of a marker.
    pub const SIZE: usize = NOPL.len() + 4;

    /// The marker that these bytes are.
    pub fn of(code: &[u8]) -> Option<Self> {
        let displacement = code.strip_prefix(&NOPL)?;
        match u32::from_le_bytes(displacement.try_into().ok()?) {
            BEGIN => Some(Self::Begin),
            END => Some(Self::End),
            _ => None,
        }
    }

    /// Executes it here.
    #[inline(always)]
    pub fn execute(self) {
        // SAFETY: It computes an address and does nothing with it.
        unsafe {
            match self {
                Self::Begin => asm!(
                    "nop dword ptr [rax + rax + {}]",
                    const BEGIN,
                    options(nostack, preserves_flags)
                ),
                Self::End => asm!(
                    "nop dword ptr [rax + rax + {}]",
                    const END,
                    options(nostack, preserves_flags)
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function's code, as far as a marker may be in it.
    fn markers_in(function: fn()) -> Vec<Marker> {
        // SAFETY: The function below is in a text section whose pages hold more than so many bytes.
        let code = unsafe { core::slice::from_raw_parts(function as *const u8, 64) };
        code.windows(Marker::SIZE).filter_map(Marker::of).collect()
    }

    #[inline(never)]
    fn both() {
        Marker::Begin.execute();
        Marker::End.execute();
    }

    #[test]
    fn what_is_executed_is_what_is_looked_for() {
        both();
        let found = markers_in(both);
        assert!(
            found.starts_with(&[Marker::Begin, Marker::End]),
            "{found:?}"
        );
    }

    #[test]
    fn the_compilers_own_padding_is_no_marker() {
        assert_eq!(Marker::of(&[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0]), None);
        assert_eq!(Marker::of(&[0x0f, 0x1f, 0x84, 0]), None);
    }
}
