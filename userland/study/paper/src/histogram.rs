// SPDX-License-Identifier: GPL-2.0

//! What a histogram says of how samples are spread.

use xcap_stats::Histogram;

/// A hump of the distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mode {
    /// Cycles at its top.
    pub at: f64,
    /// Samples of it, as a share of all.
    pub share: f64,
}

/// Least and greatest sample of a bucket.
pub fn bounds(bucket: usize) -> (f64, f64) {
    let low = xcap_abi::histogram::lower_bound(bucket);
    let high = xcap_abi::histogram::upper_bound(bucket);
    (low as f64, high as f64 + 1.0)
}

/// Buckets with what share of the samples each holds, for each unit of its logarithmic width.
pub fn density(histogram: &Histogram) -> Vec<(f64, f64, f64)> {
    let total = histogram.total() as f64;
    let one = |(&bucket, &count): (&usize, &u64)| {
        let (low, high) = bounds(bucket);
        let width = (high / low.max(1.0)).ln();
        (low, high, count as f64 / total / width)
    };
    histogram.0.iter().map(one).collect()
}

/// Octaves cut in so many parts to look for humps in.
const PARTS: f64 = 2.0;

/// A valley has to be so much lower than the lesser of the humps beside it.
const VALLEY: f64 = 0.5;

/// Fewer samples make no hump.
const LEAST_SHARE: f64 = 0.03;

/// The humps of the distribution over the logarithm of cycles, from the left.
pub fn modes(histogram: &Histogram) -> Vec<Mode> {
    let total = histogram.total() as f64;
    let Some(last) = histogram.0.keys().next_back() else {
        return Vec::new();
    };
    let part = |bucket: usize| {
        let (low, high) = bounds(bucket);
        ((low.max(1.0) * high).sqrt().log2() * PARTS) as usize
    };
    let mut shares = vec![0.0; part(*last) + 1];
    for (&bucket, &count) in &histogram.0 {
        shares[part(bucket)] += count as f64 / total;
    }
    let smooth: Vec<f64> = (0..shares.len())
        .map(|at| {
            let near = |offset: isize| {
                let index = at as isize + offset;
                usize::try_from(index)
                    .ok()
                    .and_then(|index| shares.get(index))
                    .copied()
                    .unwrap_or(0.0)
            };
            0.25 * near(-1) + 0.5 * near(0) + 0.25 * near(1)
        })
        .collect();
    let mut found: Vec<(usize, f64, f64)> = Vec::new();
    let mut valley = f64::MAX;
    for (at, (&height, &share)) in smooth.iter().zip(&shares).enumerate() {
        valley = valley.min(height);
        match found.last_mut() {
            Some((_, top, _)) if valley > VALLEY * top.min(height) && height <= *top => {}
            Some((top_at, top, _)) if valley > VALLEY * *top => {
                (*top_at, *top) = (at, height);
                valley = height;
            }
            Some(_) if height <= valley => {}
            _ if height > 0.0 => {
                found.push((at, height, 0.0));
                valley = height;
            }
            _ => {}
        }
        if let Some((_, _, all)) = found.last_mut() {
            *all += share;
        }
    }
    found
        .into_iter()
        .filter(|(_, _, share)| *share >= LEAST_SHARE)
        .map(|(at, _, share)| Mode {
            at: ((at as f64 + 0.5) / PARTS).exp2(),
            share,
        })
        .collect()
}

/// What the slowest `share` of the samples have of all cycles and of all variance.
pub fn tail(histogram: &Histogram, share: f64) -> Option<(f64, f64)> {
    let total = histogram.total() as f64;
    let middle = |bucket: usize| {
        let (low, high) = bounds(bucket);
        (low + high - 1.0) / 2.0
    };
    let cycles: f64 = histogram
        .0
        .iter()
        .map(|(&b, &n)| middle(b) * n as f64)
        .sum();
    let mean = cycles / total;
    let square = |bucket: usize| (middle(bucket) - mean).powi(2);
    let variance: f64 = histogram
        .0
        .iter()
        .map(|(&b, &n)| square(b) * n as f64)
        .sum();
    let mut left = (total * share).ceil();
    let (mut slow, mut spread) = (0.0, 0.0);
    for (&bucket, &count) in histogram.0.iter().rev() {
        let taken = left.min(count as f64);
        slow += middle(bucket) * taken;
        spread += square(bucket) * taken;
        left -= taken;
    }
    (cycles > 0.0 && variance > 0.0).then(|| (slow / cycles, spread / variance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xcap_abi::histogram::bucket;

    fn histogram(samples: impl IntoIterator<Item = (u64, u64)>) -> Histogram {
        let mut histogram = Histogram::default();
        for (value, count) in samples {
            *histogram.0.entry(bucket(value)).or_default() += count;
        }
        histogram
    }

    #[test]
    fn humps_are_told_apart_and_noise_is_none() {
        let one = histogram([(900, 10), (1000, 40), (1100, 60), (1300, 30), (1500, 5)]);
        assert_eq!(modes(&one).len(), 1);
        let two = histogram([(1000, 50), (1200, 60), (40_000, 30), (50_000, 40)]);
        let found = modes(&two);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((found[0].share - 110.0 / 180.0).abs() < 1e-9);
        assert!(
            (800.0..1500.0).contains(&found[0].at) && found[1].at > 30_000.0,
            "{found:?}"
        );
        let outlier = histogram([(1000, 500), (1200, 600), (1_000_000, 2)]);
        assert_eq!(modes(&outlier).len(), 1);
        assert!(modes(&Histogram::default()).is_empty());
    }

    #[test]
    fn the_tail_is_what_is_slowest() {
        let (cycles, variance) = tail(&histogram([(8, 99), (80_000, 1)]), 0.01).unwrap();
        assert!(cycles > 0.98 && variance > 0.98, "{cycles} {variance}");
        assert_eq!(tail(&histogram([(8, 100)]), 0.01), None);
    }
}
