// SPDX-License-Identifier: GPL-2.0

//! The figures of a probe, from its cells and its backend's losses. Which there are, and where
//! each comes from, is declared in abi/src/figures.rs.

use super::{
    cell::{at, Cell},
    missed::Missed,
};
use crate::abi::{
    histogram,
    record::Record,
    rules::{All, First, Greatest, Least, Merge, Sum},
};
use kernel::prelude::*;

/// Samples of all CPUs, added up.
pub(crate) type Totals = Record<&'static str, KVec<u64>>;

/// No samples.
pub(crate) fn none() -> Result<Totals> {
    Ok(Record {
        histogram: KVec::from_elem(0, histogram::BUCKETS, GFP_KERNEL)?,
        ..Record::none()
    })
}

/// How a figure is made of the words of a cell, and what they are where there is no sample.
trait FromCell<T>: Merge<T> {
    const EMPTY: u64 = 0;

    fn figure(word: u64) -> T;
}

impl FromCell<u64> for Sum {
    fn figure(word: u64) -> u64 {
        word
    }
}

impl FromCell<u128> for Sum {
    fn figure(word: u64) -> u128 {
        word.into()
    }
}

impl FromCell<Option<u64>> for Least {
    const EMPTY: u64 = u64::MAX;

    fn figure(word: u64) -> Option<u64> {
        (word != Self::EMPTY).then_some(word)
    }
}

impl FromCell<Option<u64>> for Greatest {
    fn figure(word: u64) -> Option<u64> {
        Some(word)
    }
}

impl Merge<KVec<u64>> for Sum {
    fn none() -> KVec<u64> {
        KVec::new()
    }

    fn merge(into: &mut KVec<u64>, more: &KVec<u64>) {
        for (into, more) in into.iter_mut().zip(more) {
            *into = into.wrapping_add(*more);
        }
    }
}

/// The figure that a cell, or what the backend lost, has of a line of `figures!`.
macro_rules! figure {
    (cell $cell:ident $merge:ident $type:ty: cell($word:ident) $($rest:tt)*) => {
        <$merge as FromCell<$type>>::figure($cell.word::<{ at!($word) }>())
    };
    (cell $cell:ident $merge:ident $type:ty: wide($word:ident) $($rest:tt)*) => {
        u128::from($cell.word::<{ at!($word) + 8 }>()) << 64
            | u128::from($cell.word::<{ at!($word) }>())
    };
    (lost $missed:ident $merge:ident $type:ty: lost($first:ident $(+ $more:ident)*) $($rest:tt)*) => {
        $missed.$first$(.wrapping_add($missed.$more))*
    };
    ($from:ident $it:ident $merge:ident $type:ty: $other:ident ($($of:tt)*) $($rest:tt)+) => {
        figure!($from $it $merge $type: $($rest)+)
    };
    ($from:ident $it:ident $merge:ident $type:ty: $($other:tt)*) => {
        <$merge as Merge<$type>>::none()
    };
}

/// Makes the words of a cell that a line of `figures!` names what they are without samples.
macro_rules! clear {
    ($cell:ident $merge:ident $type:ty: cell($word:ident) $($rest:tt)*) => {
        $cell.set::<{ at!($word) }>(<$merge as FromCell<$type>>::EMPTY);
    };
    ($cell:ident $merge:ident $type:ty: wide($word:ident) $($rest:tt)*) => {
        $cell.set::<{ at!($word) }>(0);
        $cell.set::<{ at!($word) + 8 }>(0);
    };
    ($($other:tt)*) => {};
}

/// The offsets of the words of a cell that a line of `figures!` names.
macro_rules! offsets {
    (cell($word:ident) $($rest:tt)*) => {
        &[at!($word)]
    };
    (wide($word:ident) $($rest:tt)*) => {
        &[at!($word), at!($word) + 8]
    };
    ($($other:tt)*) => {
        &[]
    };
}

macro_rules! functions {
    ($($group:ident { $(
        $(#[$doc:meta])* $name:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;
    )* })*) => {
        /// The figures of one CPU, but for the histogram.
        fn of_cell(cell: &Cell) -> Totals {
            Record { $($(
                $name: figure!(cell cell $merge $type: $($origin $(($($from)*))?)+),
            )*)* }
        }

        /// The figures of what a backend lost.
        fn of_losses(missed: Missed) -> Totals {
            Record { $($(
                $name: figure!(lost missed $merge $type: $($origin $(($($from)*))?)+),
            )*)* }
        }

        fn clear(cell: &mut Cell) {
            $($( clear!(cell $merge $type: $($origin $(($($from)*))?)+); )*)*
        }

        // No two words of a cell are in one place.
        const _: () = {
            let words: &[&[usize]] = &[
                &[at!(zeros), at!(work_mask), at!(costs), at!(pending), at!(marking)],
                &[at!(scope), at!(scope_subject), at!(scope_interface), at!(away_costs)],
                $($( offsets!($($origin $(($($from)*))?)+), )*)*
            ];
            let mut taken = [false; Cell::HISTOGRAM / 8];
            let mut figure = 0;
            while figure < words.len() {
                let mut word = 0;
                while word < words[figure].len() {
                    let offset = words[figure][word];
                    assert!(offset % 8 == 0 && !taken[offset / 8]);
                    taken[offset / 8] = true;
                    word += 1;
                }
                figure += 1;
            }
        };
    };
}

type Text = &'static str;
type Buckets = KVec<u64>;

crate::figures!(functions);

/// Takes in the samples of a CPU.
pub(crate) fn add(totals: &mut Totals, cell: &Cell) {
    let mut figures = of_cell(cell);
    // Samples of 0 are in the bucket of 1, and not in the minimum.
    let zeros = cell.word::<{ at!(zeros) }>();
    if zeros > 0 {
        figures.min = Some(0);
    }
    totals.merge(&figures);
    let buckets = &mut totals.histogram;
    for (raw, count) in cell.raw_histogram() {
        let bucket = histogram::bucket_of_raw(raw);
        buckets[bucket] = buckets[bucket].wrapping_add(count);
    }
    let (zero, one) = (histogram::bucket(0), histogram::bucket(1));
    buckets[zero] = buckets[zero].wrapping_add(zeros);
    buckets[one] = buckets[one].wrapping_sub(zeros);
}

/// Takes in what the backend lost.
pub(crate) fn with_losses(mut totals: Totals, missed: Missed) -> Totals {
    totals.merge(&of_losses(missed));
    totals.derive();
    totals
}

/// Forgets the samples of a CPU. Calls in flight stay counted as entries.
pub(crate) fn reset(cell: &mut Cell) {
    let mut figures = of_cell(cell);
    figures.derive();
    clear(cell);
    cell.set::<{ at!(entries) }>(figures.in_flight);
    cell.set::<{ at!(zeros) }>(0);
    cell.clear_histogram();
}
