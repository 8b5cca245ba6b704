// SPDX-License-Identifier: GPL-2.0

//! How long something took: the values that are there, none made up between them.

use serde::Serialize;

use crate::timeline::Ticks;

/// Of a number of durations, ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Distribution {
    pub count: u64,
    pub sum: Ticks,
    /// The least value that half of them don't exceed; and so on.
    pub p50: Ticks,
    pub p90: Ticks,
    pub p99: Ticks,
    pub max: Ticks,
}

impl Distribution {
    /// None of nothing.
    pub fn of(mut values: Vec<Ticks>) -> Option<Self> {
        values.sort_unstable();
        Some(Self {
            count: values.len() as u64,
            sum: values.iter().sum(),
            p50: *at(&values, 50)?,
            p90: *at(&values, 90)?,
            p99: *at(&values, 99)?,
            max: *values.last()?,
        })
    }

    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64
    }
}

/// The value below or at which `per_cent` of these are, which are in order.
pub fn at<T>(sorted: &[T], per_cent: usize) -> Option<&T> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_values_are_some_of_those_it_was_made_of() {
        let distribution = Distribution::of((1..=1000).rev().collect()).unwrap();
        let Distribution {
            count,
            sum,
            p50,
            p90,
            p99,
            max,
        } = distribution;
        assert_eq!((count, sum), (1000, 500_500));
        assert_eq!([p50, p90, p99, max], [500, 900, 990, 1000]);
        assert_eq!(Distribution::of(vec![7]).unwrap().p50, 7);
        assert_eq!(Distribution::of(Vec::new()), None);
    }
}
