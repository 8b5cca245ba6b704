// SPDX-License-Identifier: GPL-2.0

//! What many noisy repetitions say: minimum, median, and the median's interval.

use statrs::distribution::{Binomial, DiscreteCDF};

/// Level of the intervals, per cent.
pub const LEVEL: f64 = 95.0;

/// An interval may be so wide on either side, and the minimum so far from the median, in ticks or
/// as a share of the whole: beyond it there was noise. The ticks are a tenth of what reading the
/// clock twice takes.
const NOISE_TICKS: f64 = 5.0;
const NOISE_SHARE: f64 = 0.08;
/// The same with cold caches, which are never cold alike.
const NOISE_SHARE_COLD: f64 = 0.2;

/// Ticks a call, of repetitions that were each measured without and with a probe.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    pub unprobed: Vec<f64>,
    pub probed: Vec<f64>,
}

/// What a probe adds, by [`Pairs`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extra {
    pub unprobed: f64,
    /// The cheapest repetition with a probe less the cheapest without.
    pub minimum: f64,
    /// The median of the differences in a repetition, and its interval.
    pub median: f64,
    pub low: f64,
    pub high: f64,
    pub is_noise: bool,
}

/// The least of `values`.
pub fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// NaN of no values.
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The interval that holds the median with [`LEVEL`] per cent confidence, whatever the values'
/// distribution: between two of them, by how many of so many fall below a median.
pub fn median_interval(values: &[f64]) -> (f64, f64) {
    let sorted = sorted(values);
    let n = sorted.len();
    let tail = (100.0 - LEVEL) / 200.0;
    let rank = Binomial::new(0.5, n as u64).ok().and_then(|below| {
        (0..n / 2)
            .rev()
            .find(|&rank| below.cdf(rank as u64) <= tail)
    });
    match rank {
        Some(rank) => (sorted[rank], sorted[n - 1 - rank]),
        None if n == 0 => (f64::NAN, f64::NAN),
        None => (sorted[0], sorted[n - 1]),
    }
}

impl Pairs {
    pub fn push(&mut self, unprobed: f64, probed: f64) {
        self.unprobed.push(unprobed);
        self.probed.push(probed);
    }

    pub fn extra(&self) -> Extra {
        let differences: Vec<f64> = self
            .probed
            .iter()
            .zip(&self.unprobed)
            .map(|(probed, unprobed)| probed - unprobed)
            .collect();
        let unprobed = minimum(&self.unprobed);
        let cheapest = minimum(&self.probed);
        let median = median(&differences);
        let (low, high) = median_interval(&differences);
        let allowed = NOISE_TICKS.max(cheapest * NOISE_SHARE);
        Extra {
            unprobed,
            minimum: cheapest - unprobed,
            median,
            low,
            high,
            is_noise: (median - low).max(high - median) > allowed
                || (median - (cheapest - unprobed)).abs() > 2.0 * allowed
                || median.is_nan(),
        }
    }

    /// The same where the cheapest repetition is no typical one, as with cold caches.
    pub fn typical(&self) -> Extra {
        let extra = self.extra();
        let unprobed = median(&self.unprobed);
        let whole = unprobed + extra.median;
        Extra {
            unprobed,
            is_noise: (extra.high - extra.low) / 2.0 > NOISE_TICKS.max(whole * NOISE_SHARE_COLD),
            ..extra
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_of_the_interval_are_those_of_the_tables() {
        // Printed tables of the sign test: n = 10: second to ninth; 20: sixth to fifteenth;
        // 61: twenty-third to thirty-ninth.
        for (n, low, high) in [(10, 2.0, 9.0), (20, 6.0, 15.0), (61, 23.0, 39.0)] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(median_interval(&values), (low, high), "n = {n}");
        }
        assert_eq!(median_interval(&[3.0, 1.0, 2.0]), (1.0, 3.0));
    }

    #[test]
    fn one_disturbed_repetition_is_no_noise_and_many_are() {
        let mut pairs = Pairs::default();
        for _ in 0..30 {
            pairs.push(10.0, 60.0);
        }
        pairs.push(10.0, 9000.0);
        assert_eq!(
            pairs.extra(),
            Extra {
                unprobed: 10.0,
                minimum: 50.0,
                median: 50.0,
                low: 50.0,
                high: 50.0,
                is_noise: false
            }
        );
        for disturbed in 0..30 {
            pairs.push(10.0, 100.0 + f64::from(disturbed));
        }
        assert!(pairs.extra().is_noise);
    }

    proptest! {
        #[test]
        fn the_median_is_in_its_interval(values in prop::collection::vec(-1e6..1e6f64, 1..200)) {
            let (low, high) = median_interval(&values);
            let middle = median(&values);
            prop_assert!(low <= middle && middle <= high);
            prop_assert!(minimum(&values) <= low);
        }

        #[test]
        fn what_all_repetitions_share_adds_nothing(shift in 0.0..1e4f64, times in prop::collection::vec(1.0..1e3f64, 3..60)) {
            let mut pairs = Pairs::default();
            for time in times {
                pairs.push(time, time + shift);
            }
            let extra = pairs.extra();
            prop_assert!((extra.minimum - shift).abs() < 1e-6);
            prop_assert!((extra.median - shift).abs() < 1e-6);
            prop_assert!(!extra.is_noise);
        }
    }
}
