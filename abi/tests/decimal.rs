// SPDX-License-Identifier: GPL-2.0

//! 128 bits are written as the standard library writes them.

use proptest::prelude::*;
use xcap_abi::decimal::Decimal;

proptest! {
    #[test]
    fn every_magnitude_has_its_digits(bits in any::<u128>(), shift in 0..128_u32) {
        let value = bits >> shift;
        prop_assert_eq!(Decimal(value).to_string(), value.to_string());
    }
}

#[test]
fn ends_of_the_groups_keep_their_zeros() {
    for power in 0..39 {
        for value in [
            10_u128.pow(power) - 1,
            10_u128.pow(power),
            10_u128.pow(power) + 1,
        ] {
            assert_eq!(Decimal(value).to_string(), value.to_string());
        }
    }
    assert_eq!(Decimal(u128::MAX).to_string(), u128::MAX.to_string());
}
