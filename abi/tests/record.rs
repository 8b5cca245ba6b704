// SPDX-License-Identifier: GPL-2.0

//! What is written is read back as it was; CPUs add up in any order; readings subtract.
//!
//! All of it for the figures there are and one more, which one line adds.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use xcap_abi::histogram::BUCKETS;
use xcap_abi::read::{self, Fault, Parse};
use xcap_abi::rules::*;
use xcap_abi::word::{self, Word};

/// A histogram as simple as can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Histogram(BTreeMap<usize, u64>);

impl Word for Histogram {
    fn write<Out: std::fmt::Write>(&self, out: &mut Out) -> std::fmt::Result {
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
        let mut grown = BTreeMap::new();
        for (bucket, now) in &now.0 {
            let then = then.0.get(bucket).unwrap_or(&0);
            grown.insert(*bucket, Difference::since(then, now, fresh)?);
        }
        grown.retain(|_, count| *count > 0);
        Ok(Histogram(grown))
    }
}

/// Values of every magnitude; two of them add up without wrapping.
struct Source(std::vec::IntoIter<u64>);

trait Random {
    fn random(source: &mut Source) -> Self;
}

impl Random for u64 {
    fn random(source: &mut Source) -> Self {
        let value = source.0.next().expect("enough of them");
        (value >> 1) >> (value % 64)
    }
}

impl Random for u128 {
    fn random(source: &mut Source) -> Self {
        let (high, low) = (u64::random(source), u64::random(source));
        u128::from(high) << 64 | u128::from(low)
    }
}

impl Random for Option<u64> {
    fn random(source: &mut Source) -> Self {
        Some(u64::random(source))
    }
}

impl Random for bool {
    fn random(source: &mut Source) -> Self {
        u64::random(source) % 2 == 0
    }
}

impl Random for String {
    fn random(source: &mut Source) -> Self {
        format!("word_{}", u64::random(source))
    }
}

impl Random for Option<String> {
    fn random(source: &mut Source) -> Self {
        bool::random(source).then(|| String::random(source))
    }
}

impl Random for Histogram {
    fn random(source: &mut Source) -> Self {
        let bucket = |source: &mut Source| u64::random(source) as usize % BUCKETS;
        Self(
            (0..3)
                .map(|_| (bucket(source), u64::random(source).max(1)))
                .collect(),
        )
    }
}

/// Makes the tests for such lines as `figures!` has.
macro_rules! properties {
    ($($group:ident { $(
        $(#[$doc:meta])* $name:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;
    )* })*) => {
        type Line = Record<String, Histogram>;

        fn record() -> impl Strategy<Value = Line> {
            vec(any::<u64>(), 200).prop_map(|values| {
                let mut source = Source(values.into_iter());
                record_of::<String, Histogram>(&mut source)
            })
        }

        fn record_of<Text: Random, Buckets: Random>(source: &mut Source) -> Record<Text, Buckets>
        where
            Option<Text>: Random,
        {
            Record { $($( $name: Random::random(source), )*)* }
        }

        fn written(record: &Line) -> String {
            let mut line = String::new();
            record.write(&mut line).unwrap();
            line
        }

        fn merged(a: &Line, b: &Line) -> Line {
            let mut both = a.clone();
            both.merge(b);
            both
        }

        /// The name and the value of each figure that is added up and subtracted.
        fn additive(record: &Line) -> Vec<(&'static str, String)> {
            let mut figures = Vec::new();
            $($( additive!(figures record $name $merge $since); )*)*
            figures
        }

        /// The same of the figures that no order of CPUs may change: all but the texts.
        fn numbers(record: &Line) -> Vec<(&'static str, String)> {
            let mut figures = Vec::new();
            $($( numbers!(figures record $name $merge); )*)*
            figures
        }

        proptest! {
            /// The order of the columns can't differ: a name is found where its word stands.
            #[test]
            fn what_is_written_is_read_back(record in record()) {
                let mut record = record;
                record.settle();
                let line = written(&record);
                let words: Vec<&str> = line.split(' ').collect();
                prop_assert_eq!(words.len(), COLUMNS.len());
                let place = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
                prop_assert_eq!(Line::parse(|name| Some(words[place(name)])).unwrap(), record);
            }

            #[test]
            fn cpus_add_up_in_any_order(a in record(), b in record(), c in record()) {
                prop_assert_eq!(numbers(&merged(&a, &b)), numbers(&merged(&b, &a)));
                let (left, right) = (merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
                prop_assert_eq!(numbers(&left), numbers(&right));
            }

            #[test]
            fn no_cpu_adds_nothing(record in record()) {
                prop_assert_eq!(numbers(&merged(&record, &Line::none())), numbers(&record));
                prop_assert_eq!(numbers(&merged(&Line::none(), &record)), numbers(&record));
            }

            #[test]
            fn what_came_since_is_what_was_added(a in record(), b in record()) {
                let between = merged(&a, &b).since(&a).unwrap();
                prop_assert_eq!(additive(&between), additive(&b));
            }

            #[test]
            fn figures_that_follow_from_others_do_so_of_all_cpus(a in record(), b in record()) {
                let (mut a, mut b) = (a, b);
                a.derive();
                b.derive();
                let sum = merged(&a, &b);
                let mut both = sum.clone();
                both.derive();
                prop_assert_eq!(both, sum);
            }
        }

        #[test]
        fn figure_that_fell_is_named() {
            let mut then = Line::none();
            then.work = 23;
            let fell = Line::none().since(&then).unwrap_err();
            assert_eq!((fell.column, fell.then, fell.now), ("work", 23, 0));
        }

        #[test]
        fn nothing_has_no_extremes() {
            let mut record = Line::none();
            record.stage = "s".into();
            record.state = "absent".into();
            record.min = Some(7);
            record.settle();
            let expected = "s - - absent - 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 - 1 -";
            assert!(written(&record).starts_with(expected));
        }
    };
}

macro_rules! additive {
    ($figures:ident $record:ident $name:ident Sum Difference) => {
        $figures.push((stringify!($name), format!("{:?}", $record.$name)));
    };
    ($figures:ident $record:ident $name:ident $merge:ident $since:ident) => {};
}

macro_rules! numbers {
    ($figures:ident $record:ident $name:ident First) => {};
    ($figures:ident $record:ident $name:ident $merge:ident) => {
        $figures.push((stringify!($name), format!("{:?}", $record.$name)));
    };
}

/// The figures there are.
mod declared {
    use super::*;
    use xcap_abi::figures;
    use xcap_abi::record::{Record, COLUMNS};

    figures!(properties);

    /// The columns of version 1: more may follow, none may move.
    #[test]
    fn columns_stay_where_they_are() {
        let first = "stage function backend state reason count sum sumsq min max entries missed \
                     missed_pool missed_busy missed_straddled missed_negative in_flight migrated \
                     switched self_count self_sum work nested_cost nested_outside work_unit exact \
                     histogram";
        assert!(COLUMNS.join(" ").starts_with(first));
    }
}

/// To add a counter: one line.
mod with_one_more {
    use super::*;
    use xcap_abi::{figures, read, record};

    macro_rules! all {
        ($($lines:tt)*) => {
            record! { $($lines)* }
            read! { $($lines)* }
            properties! { $($lines)* }
        };
    }

    figures! { all
        /// Samples that took more than a second.
        long: u64, Sum, Difference, cell(long);
    }

    #[test]
    fn it_stands_at_the_end_of_the_line() {
        assert_eq!(COLUMNS.last(), Some(&"long"));
        let mut record = Line::none();
        record.long = 31;
        assert!(written(&record).ends_with(" - 1 - - 0 31"));
    }

    #[test]
    fn a_module_that_lacks_it_is_read_all_the_same() {
        let mut record = Line::none();
        (record.stage, record.state) = ("s".into(), "armed".into());
        (record.count, record.min, record.max) = (23, Some(1), Some(5));
        let text = written(&record);
        let older: Vec<&str> = text.split(' ').collect();
        let place = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        let word = |name: &str| (name != "long").then(|| older[place(name)]);
        assert_eq!(Line::parse(word).unwrap(), record);
        assert_eq!(Line::lacks(|name| name != "long"), None);
        assert_eq!(
            Line::lacks(|name| name != "long" && name != "work"),
            Some("work")
        );
    }
}
