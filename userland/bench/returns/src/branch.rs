// SPDX-License-Identifier: GPL-2.0

//! Instructions that the return-address stack follows.

/// A near call or return. Far ones, and those of interrupts and system calls, are none of its business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    Call,
    Return,
}

/// LOCK, the repeats (BND among them), segments (NOTRACK among them), sizes.
const PREFIXES: [u8; 11] = [
    0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67,
];
/// REX, in 64-bit mode; elsewhere an instruction of one byte.
const REX: std::ops::RangeInclusive<u8> = 0x40..=0x4f;

impl Branch {
    /// What the instruction of these bytes is.
    pub fn of(code: &[u8]) -> Option<Self> {
        let is_prefix = |byte: &u8| PREFIXES.contains(byte) || REX.contains(byte);
        let begin = code.iter().position(|byte| !is_prefix(byte))?;
        match &code[begin..] {
            // Code asks so where it is. Processors know that, and expect no return.
            [0xe8, 0, 0, 0, 0] => None,
            [0xe8, ..] => Some(Self::Call),
            [0xff, operand, ..] if operand >> 3 & 7 == 2 => Some(Self::Call),
            [0xc3] | [0xc2, _, _] => Some(Self::Return),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_in_every_form() {
        let calls: [&[u8]; 7] = [
            &[0xe8, 1, 0, 0, 0],
            &[0xff, 0xd0],
            &[0x41, 0xff, 0xd3],
            &[0x2e, 0x2e, 0xff, 0xd0],
            &[0x3e, 0xff, 0xd0],
            &[0xff, 0x15, 0, 0, 0, 0],
            &[0x65, 0xff, 0x14, 0x25, 8, 0, 0, 0],
        ];
        for code in calls {
            assert_eq!(Branch::of(code), Some(Branch::Call), "{code:x?}");
        }
    }

    #[test]
    fn returns_are_known_in_every_form() {
        let returns: [&[u8]; 4] = [&[0xc3], &[0xc2, 8, 0], &[0xf3, 0xc3], &[0xf2, 0xc3]];
        for code in returns {
            assert_eq!(Branch::of(code), Some(Branch::Return), "{code:x?}");
        }
    }

    #[test]
    fn what_else_changes_the_stream_is_neither() {
        let others: [&[u8]; 9] = [
            // Jumps, relative, through a register and through memory.
            &[0xe9, 0, 0, 0, 0],
            &[0xff, 0xe0],
            &[0xff, 0x25, 0, 0, 0, 0],
            // A far call, a far return, iretq, sysretq.
            &[0xff, 0x1d, 0, 0, 0, 0],
            &[0xcb],
            &[0x48, 0xcf],
            &[0x48, 0x0f, 0x07],
            // pushq through memory, and a call to what follows.
            &[0xff, 0x35, 0, 0, 0, 0],
            &[0xe8, 0, 0, 0, 0],
        ];
        for code in others {
            assert_eq!(Branch::of(code), None, "{code:x?}");
        }
        assert_eq!(Branch::of(&[0x66, 0x66]), None);
        assert_eq!(Branch::of(&[]), None);
    }
}
