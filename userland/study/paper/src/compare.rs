// SPDX-License-Identifier: GPL-2.0

//! Whether figures differ. Repetitions are the samples: calls of one run aren't independent.

use statrs::statistics::Statistics;
use xcap_stats::student::{p_value, quantile};
use xcap_stats::Moments;

use crate::study::Series;

/// Below this a difference is taken for one.
pub const ALPHA: f64 = 0.05;

/// A figure over repetitions: its mean with a 95 % interval, and how likely it is by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// Two-sided, of the value that it was tested against.
    pub p: f64,
    pub repetitions: usize,
}

/// The quotient of two figures, measured in the same repetitions: Student's t test of the
/// paired logarithms.
pub fn ratio(one: &Series, other: &Series) -> Result<Estimate, String> {
    let logarithms: Vec<f64> = one
        .iter()
        .filter_map(|(repetition, one)| {
            let other = other.get(repetition)?;
            (*one > 0.0 && *other > 0.0).then(|| (one / other).ln())
        })
        .collect();
    let estimate = student(&logarithms, 0.0)?;
    Ok(Estimate {
        value: estimate.value.exp(),
        low: estimate.low.exp(),
        high: estimate.high.exp(),
        ..estimate
    })
}

/// A figure's mean over repetitions, tested against `expected`.
pub fn level(series: &Series, expected: f64) -> Result<Estimate, String> {
    let values: Vec<f64> = series.values().copied().collect();
    student(&values, expected)
}

/// The 90 % interval of a quotient: within bounds on both sides, two one-sided tests at 5 %
/// hold that the figures are the same but for those bounds.
pub fn equivalence(one: &Series, other: &Series) -> Result<(f64, f64), String> {
    let logarithms: Vec<f64> = one
        .iter()
        .filter_map(|(repetition, one)| Some((one / other.get(repetition)?).ln()))
        .filter(|logarithm| logarithm.is_finite())
        .collect();
    let (low, high) = Mean::of(&logarithms)?.interval(2.0 * ALPHA);
    Ok((low.exp(), high.exp()))
}

/// Welch's test on all calls, as if they were independent: the paper's own view.
pub fn welch(one: &Moments, other: &Moments) -> Option<f64> {
    let difference = one.mean()? - other.mean()?;
    let (one, one_freedom) = squared_error(one)?;
    let (other, other_freedom) = squared_error(other)?;
    let squared = one + other;
    let freedom = squared.powi(2) / (one.powi(2) / one_freedom + other.powi(2) / other_freedom);
    (squared > 0.0).then(|| p_value(difference / squared.sqrt(), freedom))
}

/// Of the mean of independent samples: its squared standard error, and the degrees of freedom.
fn squared_error(moments: &Moments) -> Option<(f64, f64)> {
    let count = moments.count as f64;
    Some((moments.variance()? / count, count - 1.0))
}

fn student(values: &[f64], expected: f64) -> Result<Estimate, String> {
    let mean = Mean::of(values)?;
    let (low, high) = mean.interval(ALPHA);
    Ok(Estimate {
        value: mean.value,
        low,
        high,
        p: p_value((mean.value - expected) / mean.error, mean.freedom),
        repetitions: values.len(),
    })
}

/// The mean of a few values.
struct Mean {
    value: f64,
    /// Its standard error.
    error: f64,
    freedom: f64,
}

impl Mean {
    fn of(values: &[f64]) -> Result<Self, String> {
        match values {
            [] => Err("no repetition has figures of both".into()),
            [_] => Err("one repetition: a test takes two".into()),
            [first, rest @ ..] if rest.iter().all(|value| value == first) => {
                Err("all repetitions are the same: nothing to test with".into())
            }
            values => {
                let count = values.len() as f64;
                Ok(Self {
                    value: values.mean(),
                    error: values.std_dev() / count.sqrt(),
                    freedom: count - 1.0,
                })
            }
        }
    }

    /// What holds it but for a chance of `alpha`.
    fn interval(&self, alpha: f64) -> (f64, f64) {
        let half_width = quantile(100.0 * (1.0 - alpha), self.freedom) * self.error;
        (self.value - half_width, self.value + half_width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        (1..).zip(values.iter().copied()).collect()
    }

    /// By hand: logarithms 0.6931, 0.7885, 0.5465, 0.7419; t of three degrees is 3.1824.
    #[test]
    fn a_ratio_is_tested_by_pairs() {
        let estimate = ratio(
            &series(&[20.0, 22.0, 19.0, 21.0]),
            &series(&[10.0, 10.0, 11.0, 10.0]),
        )
        .unwrap();
        assert!((estimate.value - 1.9987).abs() < 1e-3, "{estimate:?}");
        assert!((estimate.low - 1.6917).abs() < 1e-3, "{estimate:?}");
        assert!((estimate.p - 0.00094).abs() < 1e-5, "{estimate:?}");
        assert_eq!(estimate.repetitions, 4);
    }

    #[test]
    fn too_few_repetitions_tell_nothing() {
        assert!(ratio(&series(&[1.0]), &series(&[2.0])).is_err());
        assert!(ratio(&Series::new(), &Series::new()).is_err());
        let shifted = Series::from([(7, 1.0), (8, 2.0)]);
        assert!(ratio(&series(&[1.0, 2.0]), &shifted).is_err());
    }

    #[test]
    fn calls_are_compared_by_welch() {
        let one = Moments {
            count: 5,
            sum: 15,
            sumsq: 55,
        };
        let other = Moments {
            count: 5,
            sum: 30,
            sumsq: 220,
        };
        // By hand: t = 1.897 of 5.88 degrees.
        let p = welch(&one, &other).unwrap();
        assert!((p - 0.1073).abs() < 1e-3, "{p}");
    }
}
