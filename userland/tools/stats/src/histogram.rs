// SPDX-License-Identifier: GPL-2.0

//! The distribution of the samples, and what can be said of its quantiles.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::histogram::{lower_bound, upper_bound};
use xcap_abi::read::{self, Fault, Parse};
use xcap_abi::rules::{Difference, Fell, Merge, Since, Sum};
use xcap_abi::word::{self, Word};

/// Samples by bucket of `xcap_abi::histogram`; empty buckets are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(pub BTreeMap<usize, u64>);

/// The sample below or at which a given share of all samples lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// Estimate: as far into the bucket as the sample's rank.
    #[serde(with = "crate::integer")]
    #[schemars(schema_with = "crate::integer::schema")]
    pub value: u64,
    /// The sample is no less than this …
    #[serde(with = "crate::integer")]
    #[schemars(schema_with = "crate::integer::schema")]
    pub low: u64,
    /// … and no more than this.
    #[serde(with = "crate::integer")]
    #[schemars(schema_with = "crate::integer::schema")]
    pub high: u64,
}

impl Histogram {
    /// How many samples it holds.
    pub fn total(&self) -> u128 {
        self.0.values().copied().map(u128::from).sum()
    }

    /// The sample of rank ⌈`share` · total⌉, within the bounds of its bucket,
    /// `min` and `max`.
    pub fn quantile(&self, share: f64, min: Option<u64>, max: Option<u64>) -> Option<Quantile> {
        let total = self.total();
        let rank = ((share * total as f64).ceil() as u128).clamp(1, total.max(1));
        let mut below = 0;
        for (&bucket, &count) in &self.0 {
            let count = u128::from(count);
            if below + count >= rank {
                let low = lower_bound(bucket).max(min.unwrap_or(0));
                let high = upper_bound(bucket).min(max.unwrap_or(u64::MAX));
                let width = u128::from(high.saturating_sub(low));
                // At most `width`, so it fits; the product does too, as no bucket
                // is wider than 2^60 and `rank - below` is at most 2^64.
                let into = width * (rank - below) / count;
                return Some(Quantile {
                    value: low + into as u64,
                    low,
                    high,
                });
            }
            below += count;
        }
        None
    }
}

impl Word for Histogram {
    fn write<Out: fmt::Write>(&self, out: &mut Out) -> fmt::Result {
        word::buckets(self.0.iter().map(|(&bucket, &count)| (bucket, count)), out)
    }
}

impl Parse for Histogram {
    fn parse(column: &str, word: &str) -> Result<Self, Fault> {
        read::buckets(column, word).map(Self)
    }
}

impl Merge<Histogram> for Sum {
    fn none() -> Histogram {
        Histogram::default()
    }

    fn merge(into: &mut Histogram, more: &Histogram) {
        for (&bucket, count) in &more.0 {
            Sum::merge(into.0.entry(bucket).or_default(), count);
        }
    }
}

impl Since<Histogram> for Difference {
    fn since(then: &Histogram, now: &Histogram, fresh: bool) -> Result<Histogram, Fell> {
        let mut grown = now.clone();
        for (&bucket, count) in &then.0 {
            let left = grown.0.entry(bucket).or_default();
            *left = Difference::since(count, left, fresh)?;
        }
        grown.0.retain(|_, count| *count > 0);
        Ok(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xcap_abi::histogram::bucket;

    fn histogram(samples: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &sample in samples {
            *histogram.0.entry(bucket(sample)).or_default() += 1;
        }
        histogram
    }

    #[test]
    fn small_values_have_exact_quantiles() {
        let histogram = histogram(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for (share, expected) in [(0.5, 5), (0.9, 9), (0.99, 10), (0.999, 10)] {
            let quantile = histogram.quantile(share, Some(1), Some(10)).unwrap();
            assert_eq!((quantile.low, quantile.high), (expected, expected));
            assert_eq!(quantile.value, expected);
        }
    }

    #[test]
    fn greatest_bucket_does_not_overflow() {
        let histogram = Histogram(BTreeMap::from([(bucket(u64::MAX), u64::MAX)]));
        let quantile = histogram.quantile(0.999, None, None).unwrap();
        assert_eq!(quantile.high, u64::MAX);
        assert!(quantile.low <= quantile.value && quantile.value <= quantile.high);
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5, None, None), None);
    }

    proptest::proptest! {
        #[test]
        fn bounds_hold_the_sample_of_that_rank(
            mut samples in proptest::collection::vec(proptest::num::u64::ANY, 1..200),
            share in 0.001..1.0,
        ) {
            samples.sort_unstable();
            let min = samples.first().copied();
            let max = samples.last().copied();
            let quantile = histogram(&samples).quantile(share, min, max).unwrap();
            let rank = ((share * samples.len() as f64).ceil() as usize).max(1);
            let sample = samples[rank - 1];
            proptest::prop_assert!(quantile.low <= sample && sample <= quantile.high);
            proptest::prop_assert!(quantile.low <= quantile.value && quantile.value <= quantile.high);
            proptest::prop_assert!(quantile.high - quantile.low <= quantile.low / 8);
        }
    }
}
