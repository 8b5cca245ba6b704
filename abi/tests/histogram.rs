// SPDX-License-Identifier: GPL-2.0

//! The buckets cover every u64, in order, none wider than an eighth of its lower bound.

use proptest::prelude::*;
use xcap_abi::histogram::{
    bucket, bucket_of_raw, lower_bound, raw_bucket, upper_bound, BUCKETS, RAW_BUCKETS, SUB_BUCKETS,
};

/// Values of every magnitude: uniform ones would nearly all have 64 bits.
fn value() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(bits, shift)| bits >> shift)
}

#[test]
fn buckets_follow_each_other_without_gap_or_overlap() {
    assert_eq!(lower_bound(0), 0);
    for index in 1..BUCKETS {
        assert_eq!(
            lower_bound(index),
            upper_bound(index - 1) + 1,
            "bucket {index}"
        );
    }
    assert_eq!(upper_bound(BUCKETS - 1), u64::MAX);
}

#[test]
fn bounds_of_a_bucket_lie_in_it() {
    for index in 0..BUCKETS {
        assert_eq!(bucket(lower_bound(index)), index);
        assert_eq!(bucket(upper_bound(index)), index);
    }
}

#[test]
fn no_bucket_is_wider_than_an_eighth_of_its_lower_bound() {
    for index in SUB_BUCKETS as usize..BUCKETS {
        let width = upper_bound(index) - lower_bound(index) + 1;
        assert!(width <= lower_bound(index) / 8, "bucket {index}");
    }
}

#[test]
fn small_values_have_a_bucket_each() {
    for value in 0..2 * SUB_BUCKETS {
        assert_eq!(bucket(value), value as usize);
    }
}

#[test]
fn raw_buckets_of_small_values_are_told_apart() {
    for value in 1..1000 {
        assert_eq!(bucket_of_raw(raw_bucket(value)), bucket(value), "{value}");
    }
    assert_eq!(raw_bucket(0), raw_bucket(1));
}

proptest! {
    #[test]
    fn a_raw_bucket_is_within_a_bucket(value in value()) {
        let raw = raw_bucket(value);
        prop_assert!(raw < RAW_BUCKETS);
        prop_assert_eq!(bucket_of_raw(raw), bucket(value.max(1)));
    }

    #[test]
    fn every_value_lies_within_its_bucket(value in value()) {
        let index = bucket(value);
        prop_assert!(index < BUCKETS);
        prop_assert!(lower_bound(index) <= value && value <= upper_bound(index));
    }

    #[test]
    fn greater_values_never_have_lesser_buckets(a in value(), b in value()) {
        prop_assert!(bucket(a.min(b)) <= bucket(a.max(b)));
    }
}
