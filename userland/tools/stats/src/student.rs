// SPDX-License-Identifier: GPL-2.0

//! Student's t, with as many degrees of freedom as there are.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Up to here statrs finds quantiles of Student's t to ten digits; from 10⁵ on it
/// loses them, and at 10⁸ it never returns. Its distribution function stays good.
const SOLVED_BY_LIBRARY: f64 = 1e4;

/// From here on the normal distribution stands for Student's t: they differ by
/// less than 10⁻⁶ of the quantile.
const NORMAL_FROM: f64 = 1e7;

/// The two-sided quantile at `level` per cent.
pub fn quantile(level: f64, freedom: f64) -> f64 {
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

/// How likely chance alone makes as great a `t`, of either sign.
pub fn p_value(t: f64, freedom: f64) -> f64 {
    2.0 * upper_tail(t.abs(), freedom)
}

/// How likely chance alone makes as great a `t`.
pub fn upper_tail(t: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) if freedom < NORMAL_FROM => student.cdf(-t),
        _ => Normal::standard().cdf(-t),
    }
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
    fn quantile_of_a_level_has_its_p_value() {
        for level in [50.0, 95.0, 99.9] {
            for freedom in [1.0, 2.5, 30.0, 9_999.0, 1e6, 9e6, 1e9] {
                let expected = 1.0 - level / 100.0;
                let got = p_value(quantile(level, freedom), freedom);
                assert!(
                    (got - expected).abs() < 1e-6,
                    "{level} % at {freedom}: {got}"
                );
            }
        }
    }
}
