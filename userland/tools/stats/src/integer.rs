// SPDX-License-Identifier: GPL-2.0

//! Integers in JSON: a number up to 2^53, beyond it a string of digits.
//!
//! JavaScript and jq read numbers as doubles and would round greater ones.

use std::fmt;

use schemars::{json_schema, Schema, SchemaGenerator};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EXACT_IN_DOUBLE: u128 = 1 << 53;

/// An integer, or one that may be unknown (`null`).
pub trait Integer: Sized {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

pub fn serialize<S: Serializer>(value: &impl Integer, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Integer,
{
    T::read(deserializer)
}

/// What stands in JSON for such a figure.
pub fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "An integer; its digits in a string beyond 2^53; null where it isn't known.",
        "type": ["integer", "string", "null"],
        "minimum": 0,
        "pattern": "^[0-9]+$",
    })
}

macro_rules! integer {
    ($($integer:ty)*) => { $(
        impl Integer for $integer {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match u128::from(*self) {
                    small if small <= EXACT_IN_DOUBLE => serializer.serialize_u64(small as u64),
                    great => serializer.collect_str(&great),
                }
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = deserializer.deserialize_any(Digits)?;
                Self::try_from(value).map_err(|_| D::Error::custom(format!("{value} is too great")))
            }
        }
    )* };
}

integer!(u64 u128);

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Known(#[serde(with = "crate::integer")] u64);

impl Integer for Option<u64> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map(Known).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Known>::deserialize(deserializer)?.map(|known| known.0))
    }
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
