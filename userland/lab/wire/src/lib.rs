// SPDX-License-Identifier: GPL-2.0

//! What the lab and the sender inside its emulator say to each other: a line of text each.
//!
//! All times are the receiving machine's own, in nanoseconds of its clock. There are no dependencies: the sender
//! is built in a moment.

use std::fmt;
use std::str::FromStr;

/// Bytes of a frame's time on an Ethernet wire besides its own: checksum, preamble, gap.
pub const OVERHEAD_BYTES: u64 = 4 + 8 + 12;

/// Nanoseconds that a gigabit wire needs for a frame of `size` bytes, without its checksum.
pub fn gigabit_ns(size: u16) -> u64 {
    (u64::from(size) + OVERHEAD_BYTES) * 8
}

/// What is to be put on the wire: `<count> <gap> <settle> <frame, in hexadecimal>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// 0: none; the machine is watched for `settle_ns` only.
    pub count: u64,
    /// From the beginning of one frame to that of the next.
    pub gap_ns: u64,
    /// How long the machine is watched after the last frame.
    pub settle_ns: u64,
    pub frame: Vec<u8>,
}

/// What became of it: its figures in this order, with spaces between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// Of these, those in user mode: at addresses that are no kernel's.
    pub user_instructions: u64,
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {} {} ", self.count, self.gap_ns, self.settle_ns)?;
        self.frame
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Offer {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let wrong = || format!("'{}' is no offer", line.trim());
        let [numbers @ .., frame] = &line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(wrong());
        };
        let [count, gap_ns, settle_ns] = parsed(numbers).ok_or_else(wrong)?;
        let bytes = (0..frame.len()).step_by(2).map(|at| {
            let digits = frame.get(at..at + 2)?;
            u8::from_str_radix(digits, 16).ok()
        });
        Ok(Self {
            count,
            gap_ns,
            settle_ns,
            frame: bytes.collect::<Option<_>>().ok_or_else(wrong)?,
        })
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {} {}",
            self.offered,
            self.lost,
            self.first_ns,
            self.last_ns,
            self.end_ns,
            self.instructions,
            self.user_instructions
        )
    }
}

impl FromStr for Offered {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let figures = parsed(&line.split_whitespace().collect::<Vec<_>>());
        let [offered, lost, first_ns, last_ns, end_ns, instructions, user_instructions] =
            figures.ok_or_else(|| format!("'{}' doesn't say what was offered", line.trim()))?;
        Ok(Self {
            offered,
            lost,
            first_ns,
            last_ns,
            end_ns,
            instructions,
            user_instructions,
        })
    }
}

fn parsed<const N: usize>(words: &[&str]) -> Option<[u64; N]> {
    let numbers: Option<Vec<u64>> = words.iter().map(|word| word.parse().ok()).collect();
    numbers?.try_into().ok()
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
    fn what_is_said_is_understood() {
        let offer = Offer {
            count: 10_007,
            gap_ns: 704,
            settle_ns: 5,
            frame: vec![0, 0x16, 0x3e, 0xff],
        };
        assert_eq!(offer.to_string().parse(), Ok(offer));
        let offered = Offered {
            offered: 1,
            lost: 2,
            first_ns: 3,
            last_ns: 4,
            end_ns: 5,
            instructions: 6,
            user_instructions: 7,
        };
        assert_eq!(offered.to_string().parse(), Ok(offered));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["", "1 2 3", "1 2 3 0", "1 2 x 00", "1 2 3 zz", "1 2 3 4 00"] {
            assert!(line.parse::<Offer>().is_err(), "{line}");
            assert!(line.parse::<Offered>().is_err(), "{line}");
        }
    }
}
