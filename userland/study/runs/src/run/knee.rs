// SPDX-License-Identifier: GPL-2.0

//! The greatest rate at which nothing is lost, found as RFC 2544 says: by trials between one that passed and one that
//! didn't.

use std::time::Duration;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_machines::Lab;
use xcap_wire::gigabit_ns;

use super::trial::{trial, Load};

/// The least rate that is tried, in frames a second.
const LEAST: f64 = 1e3;

/// A knee is found to within this share of its rate.
const SHARE: f64 = 0.01;

/// The knee lies between these, in frames a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knee {
    /// The greatest rate that was tried without a loss; none: there was one at the least rate, too.
    pub passed: Option<f64>,
    /// The least rate above it that was tried with one; none: the wire carries no more.
    pub failed: Option<f64>,
    pub trials: u32,
}

/// That of a capture: of loads like this, at rates up to a gigabit wire's, that last so long at least.
pub fn knee(lab: &Lab, load: Load, lasting: Duration) -> Result<Knee> {
    let most = 1e9 / gigabit_ns(load.size) as f64;
    bisect(LEAST, most, SHARE, |rate| {
        Ok(trial(lab, load.at(rate).lasting(lasting))?.is_lossless())
    })
}

/// Bisects between `least` and `most`, to within `share` of the rate. `passes` tries one.
fn bisect(
    least: f64,
    most: f64,
    share: f64,
    mut passes: impl FnMut(f64) -> Result<bool>,
) -> Result<Knee> {
    let mut knee = Knee::default();
    let mut passes = |knee: &mut Knee, rate| -> Result<bool> {
        knee.trials += 1;
        let passed = passes(rate)?;
        match passed {
            true => knee.passed = Some(rate),
            false => knee.failed = Some(rate),
        }
        Ok(passed)
    };
    if passes(&mut knee, most)? || !passes(&mut knee, least)? {
        return Ok(knee);
    }
    let (mut passed, mut failed) = (least, most);
    while failed - passed > share * failed {
        // Of their logarithms: rates are compared by their ratio.
        let middle = (passed * failed).sqrt();
        match passes(&mut knee, middle)? {
            true => passed = middle,
            false => failed = middle,
        }
    }
    Ok(knee)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(truth: f64) -> Knee {
        bisect(1e3, 1e6, 0.01, |rate| Ok(rate <= truth)).unwrap()
    }

    #[test]
    fn it_is_found_to_within_the_share() {
        for truth in [1_001.0, 31_337.0, 999_000.0] {
            let knee = of(truth);
            let (passed, failed) = (knee.passed.unwrap(), knee.failed.unwrap());
            assert!(passed <= truth && truth < failed, "{knee:?}");
            assert!(failed - passed <= 0.01 * failed, "{knee:?}");
            assert!(knee.trials < 13, "{knee:?}");
        }
    }

    #[test]
    fn there_may_be_none_between() {
        assert_eq!(of(2e6).passed, Some(1e6));
        assert_eq!(of(2e6).failed, None);
        assert_eq!(of(10.0).passed, None);
        assert_eq!(of(10.0).failed, Some(1e3));
    }
}
