// SPDX-License-Identifier: GPL-2.0

//! What kind of packet a frame says that it carries.

use std::fmt;
use std::str::FromStr;

use xcap_abi::mark::frame;

/// X.25, as in the paper: no protocol stack takes such frames.
pub const X25: Ethertype = Ethertype(frame::ETHERTYPE);

/// Least value that is a type; below, it is the length of an 802.3 frame.
const LEAST: u16 = 0x0600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ethertype(u16);

impl Ethertype {
    pub fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Ethertype {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

impl FromStr for Ethertype {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_start_matches("0x").trim_start_matches("0X");
        match u16::from_str_radix(digits, 16) {
            Ok(value) if value >= LEAST => Ok(Self(value)),
            _ => Err("an ethertype is hexadecimal, from 0x0600 to 0xffff".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hexadecimal_with_and_without_prefix() {
        assert_eq!("0x0805".parse(), Ok(X25));
        assert_eq!("805".parse(), Ok(X25));
        assert_eq!(X25.to_string(), "0x0805");
    }

    #[test]
    fn refuses_lengths_and_nonsense() {
        for text in ["", "0x05ff", "10000", "-805", "x25"] {
            assert!(text.parse::<Ethertype>().is_err(), "{text}");
        }
    }
}
