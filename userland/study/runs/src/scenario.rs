// SPDX-License-Identifier: GPL-2.0

//! The paper's scenarios: how long the sender waits, and how large its frames are.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `w<wait µs>s<size>`, as the paper writes it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Scenario {
    pub wait_us: u32,
    pub size: u16,
}

const fn scenario(wait_us: u32, size: u16) -> Scenario {
    Scenario { wait_us, size }
}

pub const W0S0064: Scenario = scenario(0, 64);
pub const W0S1500: Scenario = scenario(0, 1500);
pub const W1S0064: Scenario = scenario(1, 64);
pub const W1S1500: Scenario = scenario(1, 1500);

/// The paper's four, in the order of its text (6.1.1 and on): without a wait and with one, each
/// with small frames and large ones.
pub const PAPER: [Scenario; 4] = [W0S0064, W0S1500, W1S0064, W1S1500];

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "w{}s{:04}", self.wait_us, self.size)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.strip_prefix('w').and_then(|rest| {
            let (wait, size) = rest.split_once('s')?;
            Some(scenario(wait.parse().ok()?, size.parse().ok()?))
        });
        let fits = |scenario: &Scenario| (60..=1514).contains(&scenario.size);
        parsed.filter(fits).ok_or_else(|| {
            format!("'{text}' is no scenario: w<wait µs>s<size 60 to 1514>, such as w0s0064")
        })
    }
}

impl TryFrom<String> for Scenario {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Scenario> for String {
    fn from(scenario: Scenario) -> Self {
        scenario.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_papers() {
        let names = PAPER.map(|scenario| scenario.to_string());
        assert_eq!(names, ["w0s0064", "w0s1500", "w1s0064", "w1s1500"]);
        for scenario in PAPER {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        for wrong in ["", "w0", "s64", "w0s12", "w0s9000", "wxs64"] {
            assert!(wrong.parse::<Scenario>().is_err(), "{wrong}");
        }
    }
}
