// SPDX-License-Identifier: GPL-2.0

//! 128-bit integers in decimal: the kernel links no 128-bit division.

use core::fmt::{self, Display};

/// Shows a `u128` in decimal.
pub struct Decimal(pub u128);

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BILLION: u64 = 1_000_000_000;
        // Base 2^32, least first; 39 digits are at most five groups of nine.
        let mut limbs = [
            self.0 as u32,
            (self.0 >> 32) as u32,
            (self.0 >> 64) as u32,
            (self.0 >> 96) as u32,
        ];
        let mut groups = [0u32; 5];
        let mut used = 0;
        while used == 0 || limbs != [0; 4] {
            let mut remainder = 0u64;
            for limb in limbs.iter_mut().rev() {
                let part = remainder << 32 | u64::from(*limb);
                *limb = (part / BILLION) as u32;
                remainder = part % BILLION;
            }
            groups[used] = remainder as u32;
            used += 1;
        }
        write!(f, "{}", groups[used - 1])?;
        for group in groups[..used - 1].iter().rev() {
            write!(f, "{group:09}")?;
        }
        Ok(())
    }
}
