// SPDX-License-Identifier: GPL-2.0

//! The log-linear histogram: which bucket a value falls in, and its bounds.
//!
//! Values below [`SUB_BUCKETS`] have a bucket each. Above, every power of two
//! is cut into [`SUB_BUCKETS`] buckets of equal width, so that a bucket is at
//! most 1/8 (12.5 %) as wide as its lower bound. All of `u64` is covered.

/// Base-2 logarithm of [`SUB_BUCKETS`].
pub const SUB_BITS: u32 = 3;

/// Buckets in each power of two.
pub const SUB_BUCKETS: u64 = 1 << SUB_BITS;

/// How many buckets cover all of `u64`.
pub const BUCKETS: usize = (64 - SUB_BITS as usize + 1) << SUB_BITS;

/// The bucket that `value` falls in; always below [`BUCKETS`].
#[inline(always)]
pub const fn bucket(value: u64) -> usize {
    let exponent = 63 - (value | SUB_BUCKETS).leading_zeros();
    let shift = exponent - SUB_BITS;
    // The leading bit of `value >> shift` (8 to 15 from 8 on) carries into the exponent.
    ((shift as usize) << SUB_BITS) + (value >> shift) as usize
}

/// Raw buckets: [`SUB_BUCKETS`] for each position of the leading bit, in falling order of value.
///
/// What a CPU finds in the fewest instructions; [`bucket_of_raw`] makes buckets of them.
pub const RAW_BUCKETS: usize = 64 * SUB_BUCKETS as usize;

/// The raw bucket that `value` falls in; always below [`RAW_BUCKETS`]. 0 shares that of 1.
#[inline(always)]
pub const fn raw_bucket(value: u64) -> usize {
    let zeros = (value | 1).leading_zeros();
    let leading_bits = if value == 0 {
        SUB_BUCKETS
    } else {
        value << zeros >> (63 - SUB_BITS)
    };
    ((zeros as usize) << SUB_BITS) + (leading_bits - SUB_BUCKETS) as usize
}

/// The bucket of the values in raw bucket `raw`: of 1, where that is 0's, too.
pub const fn bucket_of_raw(raw: usize) -> usize {
    let zeros = (raw >> SUB_BITS) as u32;
    let leading_bits = SUB_BUCKETS + (raw as u64 & (SUB_BUCKETS - 1));
    bucket(leading_bits << (63 - SUB_BITS) >> zeros)
}

/// The smallest value of bucket `index`.
pub const fn lower_bound(index: usize) -> u64 {
    let group = (index >> SUB_BITS) as u32;
    let sub = index as u64 & (SUB_BUCKETS - 1);
    if group == 0 {
        sub
    } else {
        (SUB_BUCKETS + sub) << (group - 1)
    }
}

/// The greatest value of bucket `index`.
pub const fn upper_bound(index: usize) -> u64 {
    if index + 1 >= BUCKETS {
        u64::MAX
    } else {
        lower_bound(index + 1) - 1
    }
}
