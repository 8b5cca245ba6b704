// SPDX-License-Identifier: GPL-2.0

//! How the value of a column is read. Userland's alone.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use crate::figures;
use crate::histogram::BUCKETS;
use crate::record::Record;
use crate::rules::*;
use crate::word::{Word, NOTHING};

/// What is wrong with a line.
pub type Fault = String;

/// A value of a column that can be read back.
pub trait Parse: Sized {
    /// Reads `word`, which stands in `column`; an error says what is wrong with it.
    fn parse(column: &str, word: &str) -> Result<Self, Fault>;
}

macro_rules! integer {
    ($($integer:ty)*) => { $(
        impl Parse for $integer {
            fn parse(column: &str, word: &str) -> Result<Self, Fault> {
                // What the standard library takes besides: a sign.
                let digits = word.bytes().all(|byte| byte.is_ascii_digit());
                let integer = word.parse().ok().filter(|_| digits);
                integer.ok_or_else(|| {
                    format!("{column} is '{word}', not an integer that xcap could have written")
                })
            }
        }
    )* };
}

integer!(u32 u64 u128 usize);

impl Parse for Option<u64> {
    fn parse(column: &str, word: &str) -> Result<Self, Fault> {
        u64::parse(column, word).map(Some)
    }
}

impl Parse for bool {
    fn parse(column: &str, word: &str) -> Result<Self, Fault> {
        match word {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(format!("{column} is '{word}', not 0 or 1")),
        }
    }
}

impl Parse for String {
    fn parse(_column: &str, word: &str) -> Result<Self, Fault> {
        Ok(word.to_string())
    }
}

impl Parse for Option<String> {
    fn parse(_column: &str, word: &str) -> Result<Self, Fault> {
        Ok((word != NOTHING).then(|| word.to_string()))
    }
}

impl Word for String {
    fn write<Out: core::fmt::Write>(&self, out: &mut Out) -> core::fmt::Result {
        self.as_str().write(out)
    }
}

impl Word for Option<String> {
    fn write<Out: core::fmt::Write>(&self, out: &mut Out) -> core::fmt::Result {
        self.as_deref().write(out)
    }
}

/// Reads what [`word::buckets`](crate::word::buckets) wrote.
pub fn buckets(column: &str, word: &str) -> Result<BTreeMap<usize, u64>, Fault> {
    let mut buckets = BTreeMap::new();
    if word == NOTHING {
        return Ok(buckets);
    }
    for pair in word.split(',') {
        let (bucket, count) = pair
            .split_once(':')
            .ok_or_else(|| format!("'{pair}' in {column} is not bucket:count"))?;
        let bucket = usize::parse(column, bucket)?;
        if bucket >= BUCKETS {
            let last = BUCKETS - 1;
            return Err(format!(
                "{column} has a bucket {bucket}, the last is {last}"
            ));
        }
        if buckets.insert(bucket, u64::parse(column, count)?).is_some() {
            return Err(format!("{column} has bucket {bucket} twice"));
        }
    }
    Ok(buckets)
}

/// Makes the reader of the lines that `record!` makes the writer of.
///
/// `read::Parse` is to be in scope, and what `record!` needs.
#[macro_export]
macro_rules! read {
    ($($group:ident { $(
        $(#[$doc:meta])* $name:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;
    )* })*) => {
        impl<Text, Buckets> Record<Text, Buckets>
        where
            Text: Parse + Default,
            Option<Text>: Parse,
            Buckets: Parse,
            Sum: Merge<Buckets>,
        {
            /// Reads a line, whose word for each column is what `word` gives. A column that is not
            /// there is as of no CPU: an older module had none of those that are [`later`](Self::lacks).
            pub fn parse<'a>(
                word: impl Fn(&'static str) -> Option<&'a str>,
            ) -> Result<Self, $crate::read::Fault> {
                let mut record = Self { $($(
                    $name: match word(stringify!($name)) {
                        Some(word) => <$type as Parse>::parse(stringify!($name), word)?,
                        None => <$merge as Merge<$type>>::none(),
                    },
                )*)* };
                record.settle();
                Ok(record)
            }

            /// A column that every module has written, and that `has` says is not there.
            pub fn lacks(has: impl Fn(&'static str) -> bool) -> Option<&'static str> {
                let columns: &[(&'static str, &str)] =
                    &[$($( (stringify!($name), stringify!($group)), )*)*];
                let mut lacking = columns.iter().filter(|(name, _)| !has(name));
                lacking.find(|(_, group)| !group.starts_with("later")).map(|(name, _)| *name)
            }
        }
    };
}

figures!(read);
