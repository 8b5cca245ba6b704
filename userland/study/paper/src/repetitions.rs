// SPDX-License-Identifier: GPL-2.0

//! Whether figures differ. Repetitions are the samples: calls of one run aren't independent.

use xcap_stats::student::p_value;
use xcap_stats::{Effect, Moments, TooFew};

use crate::study::Series;

/// Below this a difference is taken for one.
pub const ALPHA: f64 = 0.05;

/// Share of studies in which what is called detectable is found.
pub const POWER: f64 = 0.8;

/// A figure over repetitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Of a quotient: of its logarithm.
    effect: Effect,
    is_quotient: bool,
    pub repetitions: usize,
    /// Repetitions that have no such figure, or none that has a logarithm.
    pub left_out: usize,
}

impl Estimate {
    fn scaled(&self, value: f64) -> f64 {
        if self.is_quotient {
            value.exp()
        } else {
            value
        }
    }

    fn unscaled(&self, value: f64) -> f64 {
        if self.is_quotient {
            value.ln()
        } else {
            value
        }
    }

    /// A quotient's is geometric.
    pub fn value(&self) -> f64 {
        self.scaled(self.effect.value)
    }

    /// The 95 % interval.
    pub fn interval(&self) -> (f64, f64) {
        let (low, high) = self.effect.interval(100.0 * (1.0 - ALPHA));
        (self.scaled(low), self.scaled(high))
    }

    /// How likely chance makes such a figure of what is `truth`, two-sided.
    pub fn p(&self, truth: f64) -> f64 {
        self.effect.p(self.unscaled(truth))
    }

    /// How likely chance makes so great a figure of what is no more than `bound`.
    pub fn p_above(&self, bound: f64) -> f64 {
        self.effect.p_above(self.unscaled(bound))
    }

    /// … so small a figure of what is no less.
    pub fn p_below(&self, bound: f64) -> f64 {
        self.effect.p_below(self.unscaled(bound))
    }

    /// The smallest quotient, or distance from what it's tested against, that four of five such
    /// studies find.
    pub fn detectable(&self) -> f64 {
        self.scaled(self.effect.detectable(ALPHA, POWER))
    }

    /// About so many repetitions would decide whether it is `truth`, were it as it was seen.
    pub fn needed(&self, truth: f64) -> Option<f64> {
        let distance = (self.effect.value - self.unscaled(truth)).abs();
        let times = self.effect.detectable(ALPHA, POWER) / distance;
        let needed = (self.repetitions as f64 * times.powi(2)).ceil();
        (needed.is_finite() && needed > self.repetitions as f64).then_some(needed)
    }
}

/// The quotient of two figures measured in the same repetitions: pairs of logarithms.
pub fn ratio(one: &Series, other: &Series) -> Result<Estimate, TooFew> {
    let mut left_out = 0;
    let mut logarithms = Vec::new();
    for (repetition, one) in one {
        let quotient = other.get(repetition).map(|other| (one / other).ln());
        match quotient.filter(|logarithm| logarithm.is_finite()) {
            Some(logarithm) => logarithms.push(logarithm),
            None => left_out += 1,
        }
    }
    Ok(Estimate {
        effect: Effect::of_mean(&logarithms)?,
        is_quotient: true,
        repetitions: logarithms.len(),
        left_out,
    })
}

/// The quotient of two figures of runs that share no start of the machines: Welch's test of
/// logarithms.
pub fn unpaired_ratio(one: &Series, other: &Series) -> Result<Estimate, TooFew> {
    let logarithms = |series: &Series| -> Vec<f64> {
        let each = series.values().map(|value| value.ln());
        each.filter(|logarithm| logarithm.is_finite()).collect()
    };
    let (a, b) = (logarithms(one), logarithms(other));
    Ok(Estimate {
        effect: Effect::of_difference(&a, &b)?,
        is_quotient: true,
        repetitions: a.len().min(b.len()),
        left_out: one.len() + other.len() - a.len() - b.len(),
    })
}

/// A figure's mean over repetitions.
pub fn level(series: &Series) -> Result<Estimate, TooFew> {
    let values: Vec<f64> = series
        .values()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    Ok(Estimate {
        effect: Effect::of_mean(&values)?,
        is_quotient: false,
        repetitions: values.len(),
        left_out: series.len() - values.len(),
    })
}

/// The geometric mean of a positive figure over repetitions: its interval reaches no zero.
pub fn geometric(series: &Series) -> Result<Estimate, TooFew> {
    let ones = series.keys().map(|&repetition| (repetition, 1.0)).collect();
    ratio(series, &ones)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        (1..).zip(values.iter().copied()).collect()
    }

    /// By hand: logarithms 0.6931, 0.7885, 0.5465, 0.7419; t of three degrees is 3.1824.
    #[test]
    fn a_ratio_is_tested_by_pairs() {
        let one = series(&[20.0, 22.0, 19.0, 21.0]);
        let estimate = ratio(&one, &series(&[10.0, 10.0, 11.0, 10.0])).unwrap();
        assert!((estimate.value() - 1.9987).abs() < 1e-3, "{estimate:?}");
        assert!(
            (estimate.interval().0 - 1.6917).abs() < 1e-3,
            "{estimate:?}"
        );
        assert!((estimate.p(1.0) - 0.00094).abs() < 1e-5, "{estimate:?}");
        assert_eq!((estimate.repetitions, estimate.left_out), (4, 0));
    }

    #[test]
    fn too_few_repetitions_tell_nothing() {
        assert!(ratio(&series(&[1.0]), &series(&[2.0])).is_err());
        assert!(ratio(&Series::new(), &Series::new()).is_err());
        let shifted = Series::from([(7, 1.0), (8, 2.0)]);
        assert!(ratio(&series(&[1.0, 2.0]), &shifted).is_err());
        // Runs of different machines have no pairs to lose.
        assert!(unpaired_ratio(&series(&[1.0, 2.0]), &shifted).is_ok());
    }

    #[test]
    fn what_has_no_logarithm_is_left_out_and_told() {
        let one = series(&[2.0, 0.0, f64::NAN, 2.5, 2.2]);
        let estimate = ratio(&one, &series(&[1.0; 5])).unwrap();
        assert_eq!((estimate.repetitions, estimate.left_out), (3, 2));
    }

    #[test]
    fn more_repetitions_decide_what_few_cannot() {
        let one = series(&[1.0, 1.5, 0.9, 1.4]);
        let estimate = ratio(&one, &series(&[1.0; 4])).unwrap();
        assert!(estimate.p(1.0) > ALPHA && estimate.detectable() > estimate.value());
        assert!(estimate.needed(1.0).unwrap() > 4.0);
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
