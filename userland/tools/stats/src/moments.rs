// SPDX-License-Identifier: GPL-2.0

//! Mean, variance and confidence interval from count, sum and sum of squares.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

use crate::stats::Stage;

/// Up to here statrs finds quantiles of Student's t to ten digits; from 10⁵ on it
/// loses them, and at 10⁸ it never returns. Its distribution function stays good.
const SOLVED_BY_LIBRARY: f64 = 1e4;

/// From here on the normal distribution stands for Student's t: they differ by
/// less than 10⁻⁶ of the quantile.
const NORMAL_FROM: f64 = 1e7;

/// Count, sum and sum of squares of a set of samples, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    pub count: u64,
    pub sum: u128,
    pub sumsq: u128,
}

/// A confidence interval of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Per cent.
    pub level: f64,
    pub half_width: f64,
    pub low: f64,
    pub high: f64,
}

impl Moments {
    /// Of whole samples, entry to return.
    pub fn of(stage: &Stage) -> Self {
        Self {
            count: stage.count,
            sum: stage.sum,
            sumsq: stage.sumsq,
        }
    }

    /// Mean of the self times.
    pub fn self_mean(stage: &Stage) -> Option<f64> {
        let self_times = Self {
            count: stage.self_count,
            sum: stage.self_sum,
            sumsq: 0,
        };
        self_times.mean()
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.sum.into(), self.count.into()))
    }

    /// n·Σx² − (Σx)²: the variance times n·(n − 1), free of rounding.
    ///
    /// Negative where the three figures can't be of one set of samples.
    pub(crate) fn spread(&self) -> BigInt {
        let sum = BigInt::from(self.sum);
        BigInt::from(self.count) * BigInt::from(self.sumsq) - &sum * &sum
    }

    /// The unbiased variance; none below two samples or from contradicting sums.
    pub fn variance(&self) -> Option<f64> {
        let spread = self.spread();
        if self.count < 2 || spread.is_negative() {
            return None;
        }
        let count = BigInt::from(self.count);
        let divisor = &count * (&count - 1);
        Some(ratio(spread, divisor))
    }

    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The interval that holds the mean with `level` per cent confidence.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let mean = self.mean()?;
        let error = self.standard_deviation()? / (self.count as f64).sqrt();
        let half_width = quantile(level, (self.count - 1) as f64) * error;
        Some(Interval {
            level,
            half_width,
            low: mean - half_width,
            high: mean + half_width,
        })
    }
}

/// The quotient of two integers of any size, rounded only where it becomes a float.
fn ratio(dividend: BigInt, divisor: BigInt) -> f64 {
    let float = |integer: BigInt| integer.to_f64().unwrap_or(f64::INFINITY);
    float(dividend) / float(divisor)
}

/// The two-sided quantile of Student's t at `level` per cent.
fn quantile(level: f64, freedom: f64) -> f64 {
    let tail = (100.0 - level) / 200.0;
    let normal = Normal::standard().inverse_cdf(tail);
    let lower = match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) if freedom <= SOLVED_BY_LIBRARY => t.inverse_cdf(tail),
        // Newton's method; from so near it has all digits after two steps.
        Ok(t) if freedom < NORMAL_FROM => (0..4).fold(normal, |quantile, _| {
            quantile - (t.cdf(quantile) - tail) / t.pdf(quantile)
        }),
        _ => normal,
    };
    lower.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two-sided 95 % and 99 % quantiles from printed tables.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (level, freedom, expected) in [
            (95.0, 1.0, 12.7062),
            (95.0, 2.0, 4.302653),
            (95.0, 10.0, 2.228139),
            (95.0, 30.0, 2.042272),
            (95.0, 120.0, 1.979930),
            (95.0, 9_999.0, 1.960201),
            (95.0, 1e5, 1.959988),
            (95.0, 1e6, 1.959966),
            (95.0, 1e7, 1.959964),
            (95.0, 9e7, 1.959964),
            (95.0, 1e12, 1.959964),
            (99.0, 4.0, 4.604095),
            (99.0, 100.0, 2.625891),
            (99.0, 1e9, 2.575829),
            (99.9, 5.0, 6.868827),
            (50.0, 3.0, 0.764892),
        ] {
            let got = quantile(level, freedom);
            assert!(
                (got - expected).abs() < 1e-6 * expected,
                "{level} % at {freedom}: {got}, not {expected}"
            );
        }
    }

    #[test]
    fn equal_samples_have_no_variance() {
        let count = 1 << 40;
        let value = (1_u128 << 40) - 1;
        let moments = Moments {
            count,
            sum: value * u128::from(count),
            sumsq: value * value * u128::from(count),
        };
        assert_eq!(moments.variance(), Some(0.0));
        assert_eq!(moments.mean(), Some(value as f64));
    }

    #[test]
    fn one_sample_has_a_mean_alone() {
        let moments = Moments {
            count: 1,
            sum: 7,
            sumsq: 49,
        };
        assert_eq!(moments.mean(), Some(7.0));
        assert_eq!(moments.variance(), None);
        assert_eq!(moments.interval(95.0), None);
        assert_eq!(Moments::default().mean(), None);
    }
}
