// SPDX-License-Identifier: GPL-2.0

//! What the lab and the sender inside its emulator say to each other: a line of JSON each.
//!
//! All times are the receiving machine's own, in nanoseconds of its clock.

use serde::{Deserialize, Serialize};

/// Bytes of a frame's time on an Ethernet wire besides its own: checksum, preamble, gap.
pub const OVERHEAD_BYTES: u64 = 4 + 8 + 12;

/// Nanoseconds that a gigabit wire needs for a frame of `size` bytes, without its checksum.
pub fn gigabit_ns(size: u16) -> u64 {
    (u64::from(size) + OVERHEAD_BYTES) * 8
}

/// What is to be put on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub frame: Vec<u8>,
    /// 0: none; the machine is watched for `settle_ns` only.
    pub count: u64,
    /// From the beginning of one frame to that of the next.
    pub gap_ns: u64,
    /// How long the machine is watched after the last frame.
    pub settle_ns: u64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Frames that were put on the wire.
    pub offered: u64,
    /// Of these, those for which the card had no room when they came.
    pub lost: u64,
    /// When the first frame was put on the wire, and the last.
    pub first_ns: u64,
    pub last_ns: u64,
    /// When watching ended.
    pub end_ns: u64,
    /// Instructions that the machine executed from the first frame to the end of watching.
    pub instructions: u64,
}

impl Offered {
    /// Frames a second of the receiving machine's time; none where there is no time between two.
    pub fn rate(&self) -> Option<f64> {
        let ns = self
            .last_ns
            .checked_sub(self.first_ns)
            .filter(|ns| *ns > 0)?;
        Some((self.offered - 1) as f64 * 1e9 / ns as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gigabit_wire_carries_what_the_textbook_says() {
        assert_eq!(1_000_000_000 / gigabit_ns(60), 1_488_095);
        assert_eq!(1_000_000_000 / gigabit_ns(1514), 81_274);
    }

    #[test]
    fn the_rate_is_that_of_the_gaps() {
        let offered = Offered {
            offered: 101,
            first_ns: 500,
            last_ns: 500 + 100 * 1000,
            ..Offered::default()
        };
        assert_eq!(offered.rate(), Some(1e6));
        assert_eq!(
            Offered {
                offered: 1,
                ..Offered::default()
            }
            .rate(),
            None
        );
    }
}
