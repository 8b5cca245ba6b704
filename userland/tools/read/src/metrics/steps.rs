// SPDX-License-Identifier: GPL-2.0

//! The buckets that histograms are exported in.

use xcap_abi::histogram::{bucket, lower_bound, upper_bound, SUB_BUCKETS};
use xcap_stats::Histogram;

/// Exponents of two between which bounds lie: below, one bucket; beyond, that without end.
const FIRST: u32 = 5;
const LAST: u32 = 32;

/// In how many buckets each power of two is divided: one, or as many as xcap itself has, or something between.
///
/// The bounds are the same for all stages and at all times, so that they can be added up and subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps(u64);

impl Steps {
    /// None, unless it is a power of two that xcap's own buckets can be put together to.
    pub fn new(number: u64) -> Option<Self> {
        (number.is_power_of_two() && number <= SUB_BUCKETS).then_some(Self(number))
    }

    /// The greatest value of each bucket but the last, which has none.
    fn bounds(self) -> impl Iterator<Item = u64> {
        let starts = (FIRST..LAST).flat_map(move |exponent| {
            (0..self.0).map(move |step| (1_u64 << exponent) + (step << exponent) / self.0)
        });
        starts.chain([1 << LAST]).map(|start| start - 1)
    }

    /// How many samples are no greater than each bound.
    pub fn cumulative(self, histogram: &Histogram) -> Vec<(u64, u128)> {
        let mut buckets = histogram.0.iter().peekable();
        let mut below = 0;
        self.bounds()
            .map(|bound| {
                debug_assert_eq!(upper_bound(bucket(bound)), bound);
                while let Some((_, &count)) =
                    buckets.next_if(|(&index, _)| lower_bound(index) <= bound)
                {
                    below += u128::from(count);
                }
                (bound, below)
            })
            .collect()
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_one_of_xcap_s_own_buckets() {
        for number in [1, 2, 4, 8] {
            let steps = Steps::new(number).unwrap();
            let bounds: Vec<u64> = steps.bounds().collect();
            assert_eq!(bounds.len(), 27 * number as usize + 1);
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
            for bound in bounds {
                assert_eq!(upper_bound(bucket(bound)), bound);
            }
        }
        assert_eq!(Steps::new(3), None);
        assert_eq!(Steps::new(16), None);
    }

    #[test]
    fn samples_are_counted_at_and_above_their_bound() {
        let samples = [0, 31, 32, 47, 48, u64::from(u32::MAX), u64::MAX];
        let mut histogram = Histogram::default();
        for sample in samples {
            *histogram.0.entry(bucket(sample)).or_default() += 1;
        }
        for (bound, count) in Steps::default().cumulative(&histogram) {
            let expected = samples.iter().filter(|sample| **sample <= bound).count();
            assert_eq!(count, expected as u128, "{bound}");
        }
    }
}
