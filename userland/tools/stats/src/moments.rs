// SPDX-License-Identifier: GPL-2.0

//! Mean, variance and confidence interval from count, sum and sum of squares.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::Stage;
use crate::student;

/// Count, sum and sum of squares of a set of samples, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    pub count: u64,
    pub sum: u128,
    pub sumsq: u128,
}

/// A confidence interval of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
        let half_width = student::quantile(level, (self.count - 1) as f64) * error;
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

#[cfg(test)]
mod tests {
    use super::*;

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
