// SPDX-License-Identifier: GPL-2.0

//! What a few independent values say of the truth: estimates that are distributed around it like
//! Student's t, with the tests that follow.

use statrs::statistics::Statistics;

use crate::student;

/// An estimate with its standard error and the error's degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    pub value: f64,
    pub error: f64,
    pub freedom: f64,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooFew {
    #[error("no repetition has figures of both")]
    None,
    #[error("one repetition: a test takes two")]
    One,
}

impl Effect {
    /// The mean of independent values.
    pub fn of_mean(values: &[f64]) -> Result<Self, TooFew> {
        match values {
            [] => Err(TooFew::None),
            [_] => Err(TooFew::One),
            values => Ok(Self {
                value: values.mean(),
                error: values.std_dev() / (values.len() as f64).sqrt(),
                freedom: values.len() as f64 - 1.0,
            }),
        }
    }

    /// The difference of the means of values that share nothing, by Welch.
    pub fn of_difference(one: &[f64], other: &[f64]) -> Result<Self, TooFew> {
        let other = Self::of_mean(other)?.times(-1.0);
        Ok(Self::sum(&[Self::of_mean(one)?, other]))
    }

    /// The sum of independent estimates; degrees of freedom by Welch and Satterthwaite.
    pub fn sum(each: &[Self]) -> Self {
        let squares = || each.iter().map(|effect| effect.error.powi(2));
        let square: f64 = squares().sum();
        let spread: f64 = squares()
            .zip(each)
            .map(|(square, effect)| square.powi(2) / effect.freedom)
            .sum();
        let least = each
            .iter()
            .map(|effect| effect.freedom)
            .fold(f64::MAX, f64::min);
        Self {
            value: each.iter().map(|effect| effect.value).sum(),
            error: square.sqrt(),
            freedom: if spread > 0.0 {
                square.powi(2) / spread
            } else {
                least
            },
        }
    }

    pub fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            error: self.error * factor.abs(),
            ..self
        }
    }

    /// What holds the truth with `level` per cent confidence.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half_width = student::quantile(level, self.freedom) * self.error;
        (self.value - half_width, self.value + half_width)
    }

    /// How likely chance makes an estimate so far from `truth`, on either side.
    pub fn p(&self, truth: f64) -> f64 {
        (2.0 * self.p_above(truth).min(self.p_below(truth))).min(1.0)
    }

    /// How likely chance makes so great an estimate of what is no more than `bound`.
    pub fn p_above(&self, bound: f64) -> f64 {
        let distance = self.value - bound;
        if self.error > 0.0 {
            return student::upper_tail(distance / self.error, self.freedom);
        }
        // Values without any spread are taken at their word.
        if distance > 0.0 {
            0.0
        } else {
            1.0
        }
    }

    /// How likely chance makes so small an estimate of what is no less than `bound`.
    pub fn p_below(&self, bound: f64) -> f64 {
        self.times(-1.0).p_above(-bound)
    }

    /// Two one-sided tests: how likely chance alone puts an estimate between bounds that the truth
    /// is not between.
    pub fn p_within(&self, low: f64, high: f64) -> f64 {
        self.p_above(low).max(self.p_below(high))
    }

    /// The smallest distance that such a test at `alpha`, two-sided, finds in `power` of all studies.
    pub fn detectable(&self, alpha: f64, power: f64) -> f64 {
        let quantiles = student::quantile(100.0 * (1.0 - alpha), self.freedom)
            + student::quantile(100.0 * (2.0 * power - 1.0), self.freedom);
        quantiles * self.error
    }
}

/// Holm's correction of the p values of claims that are judged together: what each is in the family.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[at]).min(1.0);
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!(
            (got - expected).abs() < 1e-3 * expected.abs().max(0.01),
            "{got}, not {expected}"
        );
    }

    /// By hand: squared errors 0.4167 of 3 degrees, 4.3333 of 2.
    #[test]
    fn what_shares_nothing_is_compared_by_welch() {
        let effect = Effect::of_difference(&[20.0, 22.0, 19.0, 21.0], &[10.0, 12.0, 17.0]).unwrap();
        near(effect.value, 7.5);
        near(effect.freedom, 2.3884);
        near(effect.error, 2.1794);
    }

    #[test]
    fn equal_values_are_exact() {
        let effect = Effect::of_difference(&[2.0, 2.0], &[1.0, 1.0, 1.0]).unwrap();
        assert_eq!(effect.interval(95.0), (1.0, 1.0));
        assert_eq!((effect.p(0.0), effect.p(1.0)), (0.0, 1.0));
        assert_eq!(effect.p_within(0.5, 1.5), 0.0);
        assert_eq!(effect.detectable(0.05, 0.8), 0.0);
    }

    #[test]
    fn too_few_values_tell_nothing() {
        assert_eq!(Effect::of_mean(&[]), Err(TooFew::None));
        assert_eq!(Effect::of_difference(&[1.0, 2.0], &[1.0]), Err(TooFew::One));
    }

    /// t of 4 degrees: 2.7764 for 95 %, 0.9410 for 80 % of studies.
    #[test]
    fn what_can_be_detected_is_known_before() {
        let effect = Effect {
            value: 7.0,
            error: 2.0,
            freedom: 4.0,
        };
        near(effect.detectable(0.05, 0.8), 2.0 * (2.7764 + 0.9410));
        near(effect.p(7.0 - 2.0 * 2.7764), 0.05);
    }

    #[test]
    fn holms_family_is_stricter_than_its_members() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    /// Of families without any effect, one in twenty finds some.
    #[test]
    fn false_alarms_are_as_rare_as_promised() {
        use proptest::prelude::RngCore;
        use proptest::test_runner::{RngAlgorithm, TestRng};
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[17; 32]);
        let mut normal = || {
            let sum: f64 = (0..12)
                .map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX))
                .sum();
            sum - 6.0
        };
        let mut p = || Effect::of_mean(&[(); 5].map(|()| normal())).unwrap().p(0.0);
        let alarms = (0..400).filter(|_| holm(&[(); 6].map(|()| p())).iter().any(|&p| p < 0.05));
        // 20 of 400; five standard deviations beyond.
        let alarms = alarms.count();
        assert!((1..=42).contains(&alarms), "{alarms}");
    }
}
