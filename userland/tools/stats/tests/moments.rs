// SPDX-License-Identifier: GPL-2.0

//! Mean, variance and interval against exact arithmetic and another library.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use proptest::collection::vec;
use proptest::prelude::*;
use statrs::statistics::Statistics;
use xcap_stats::Moments;

fn moments(samples: &[u64]) -> Moments {
    let wide = || samples.iter().copied().map(u128::from);
    Moments {
        count: samples.len() as u64,
        sum: wide().sum(),
        sumsq: wide().map(|sample| sample * sample).sum(),
    }
}

/// The definition, in fractions: Σ(x − x̄)² / (n − 1).
fn exact_mean_and_variance(samples: &[u64]) -> (f64, f64) {
    let integer = |value: u64| BigRational::from(BigInt::from(value));
    let count = integer(samples.len() as u64);
    let total: BigRational = samples.iter().map(|sample| integer(*sample)).sum();
    let mean = total / &count;
    let squares: BigRational = samples
        .iter()
        .map(|sample| integer(*sample) - &mean)
        .map(|distance| &distance * &distance)
        .sum();
    let variance = squares / (count - integer(1));
    (mean.to_f64().unwrap(), variance.to_f64().unwrap())
}

fn is_close(got: f64, expected: f64, tolerance: f64) -> bool {
    (got - expected).abs() <= tolerance * expected.abs()
}

/// Five roundings at most: two integers to floats, twice, and a division.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

proptest! {
    /// Up to 2^60, so that 200 squares fit the module's 128 bits.
    #[test]
    fn variance_is_exact_for_any_samples(samples in vec(0..1_u64 << 60, 2..200)) {
        let (mean, variance) = exact_mean_and_variance(&samples);
        let moments = moments(&samples);
        prop_assert!(is_close(moments.mean().unwrap(), mean, ROUNDING));
        prop_assert!(is_close(moments.variance().unwrap(), variance, ROUNDING));
    }

    /// Where a difference of floats would leave nothing but noise.
    #[test]
    fn variance_is_exact_for_a_small_spread_on_a_great_mean(
        base in 1_u64 << 55..1 << 60,
        offsets in vec(0..10_u64, 2..200),
    ) {
        let samples: Vec<u64> = offsets.iter().map(|offset| base + offset).collect();
        let (_, variance) = exact_mean_and_variance(&samples);
        prop_assert!(is_close(moments(&samples).variance().unwrap(), variance, ROUNDING));
    }

    #[test]
    fn another_library_agrees(samples in vec(0..1_000_000_u64, 2..300)) {
        let floats: Vec<f64> = samples.iter().map(|sample| *sample as f64).collect();
        let moments = moments(&samples);
        prop_assert!(is_close(moments.mean().unwrap(), (&floats).mean(), 1e-12));
        prop_assert!(is_close(moments.variance().unwrap(), (&floats).variance(), 1e-9));
    }

    #[test]
    fn interval_lies_about_the_mean_and_widens_with_its_level(
        samples in vec(0..1_000_000_u64, 2..300),
        low in 1.0..98.0,
    ) {
        let moments = moments(&samples);
        let mean = moments.mean().unwrap();
        let narrow = moments.interval(low).unwrap();
        let wide = moments.interval(low + 1.0).unwrap();
        prop_assert!(narrow.half_width <= wide.half_width);
        prop_assert!(narrow.low <= mean && mean <= narrow.high);
        prop_assert!(is_close(narrow.high - narrow.low, 2.0 * narrow.half_width, 1e-6));
    }
}

/// A year of samples of a millisecond at 2.6 GHz.
#[test]
fn moments_stay_exact_over_a_year() {
    let half = 15_768_000_000_u64;
    let (low, high) = (2_599_999_u128, 2_600_001_u128);
    let moments = Moments {
        count: 2 * half,
        sum: u128::from(half) * (low + high),
        sumsq: u128::from(half) * (low * low + high * high),
    };
    let count = 2.0 * half as f64;
    assert_eq!(moments.mean(), Some(2_600_000.0));
    assert!(is_close(
        moments.variance().unwrap(),
        count / (count - 1.0),
        ROUNDING
    ));
}

/// Student's own example (1908): ten patients' additional sleep, mean 0.75, t(9).
#[test]
fn interval_is_that_of_the_textbook() {
    // Tenths of an hour, moved up by 1.6 to be positive: 0.7 −1.6 −0.2 −1.2 −0.1 3.4 3.7 0.8 0 2.
    let moments = moments(&[23, 0, 14, 4, 15, 50, 53, 24, 16, 36]);
    let interval = moments.interval(95.0).unwrap();
    assert!(
        is_close(interval.low, 10.0 * (-0.529_780_4 + 1.6), 1e-6),
        "{interval:?}"
    );
    assert!(
        is_close(interval.high, 10.0 * (2.029_780_4 + 1.6), 1e-6),
        "{interval:?}"
    );
}
