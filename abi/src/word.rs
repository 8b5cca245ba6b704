// SPDX-License-Identifier: GPL-2.0

//! How the value of a column is written.

use super::decimal::Decimal;
use core::fmt::{Result, Write};

/// What stands for a text that there isn't.
pub const NOTHING: &str = "-";

/// A value of a column.
pub trait Word {
    /// Writes it, without blanks.
    fn write<Out: Write>(&self, out: &mut Out) -> Result;
}

impl Word for u64 {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        write!(out, "{self}")
    }
}

impl Word for u128 {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        write!(out, "{}", Decimal(*self))
    }
}

/// An extreme: 0 where there is none.
impl Word for Option<u64> {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        self.unwrap_or(0).write(out)
    }
}

impl Word for bool {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        u64::from(*self).write(out)
    }
}

impl Word for &str {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        out.write_str(self)
    }
}

impl Word for Option<&str> {
    fn write<Out: Write>(&self, out: &mut Out) -> Result {
        out.write_str(self.unwrap_or(NOTHING))
    }
}

/// Writes the buckets of a histogram that are not empty: `bucket:count`, by commas.
pub fn buckets<Out: Write>(buckets: impl Iterator<Item = (usize, u64)>, out: &mut Out) -> Result {
    let mut separator = "";
    for (bucket, count) in buckets.filter(|&(_, count)| count != 0) {
        write!(out, "{separator}{bucket}:{count}")?;
        separator = ",";
    }
    if separator.is_empty() {
        out.write_str(NOTHING)?;
    }
    Ok(())
}
