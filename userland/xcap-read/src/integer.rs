// SPDX-License-Identifier: GPL-2.0

//! Integers in JSON: a number up to 2^53, beyond it a string of digits.
//!
//! JavaScript and jq read numbers as doubles and would round greater ones.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

const EXACT_IN_DOUBLE: u128 = 1 << 53;

pub fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Copy + Into<u128>,
{
    match (*value).into() {
        small if small <= EXACT_IN_DOUBLE => serializer.serialize_u64(small as u64),
        great => serializer.collect_str(&great),
    }
}

pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u128>,
{
    let value = deserializer.deserialize_any(Digits)?;
    T::try_from(value).map_err(|_| D::Error::custom(format!("{value} is too great")))
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = u128;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an integer of 0 or more, or its digits in a string")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u128, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, digits: &str) -> Result<u128, E> {
        digits
            .parse()
            .map_err(|_| E::invalid_value(Unexpected::Str(digits), &self))
    }
}

/// The same for integers that may be unknown (`null`).
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Known(#[serde(with = "super")] u64);

    pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Known).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Known>::deserialize(deserializer)?.map(|known| known.0))
    }
}
