// SPDX-License-Identifier: GPL-2.0

//! The record of a probe, as [`figures!`](crate::figures) declares it.

use crate::figures;

/// Makes [`COLUMNS`] and [`Record`] of such lines as [`figures!`](crate::figures) has.
///
/// All of `rules`, and `word::Word`, are to be in scope.
#[macro_export]
macro_rules! record {
    ($($group:ident { $(
        $(#[$doc:meta])* $name:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;
    )* })*) => {
        /// Names of the columns of a stage's line, in order.
        pub const COLUMNS: &[&str] = &[$($( stringify!($name), )*)*];

        /// What is known of a probe: a line of `stats`.
        ///
        /// Cycles are TSC cycles.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Record<Text, Buckets> { $($(
            $(#[$doc])*
            pub $name: $type,
        )*)* }

        impl<Text, Buckets> Record<Text, Buckets> {
            /// The record of no CPU.
            pub fn none() -> Self
            where
                Text: Default,
                Sum: Merge<Buckets>,
            {
                Self { $($( $name: <$merge as Merge<$type>>::none(), )*)* }
            }

            /// Takes in another CPU's record, which is of the same probe. The figures that follow
            /// from others are those of both after [`derive`](Self::derive).
            pub fn merge(&mut self, more: &Self)
            where
                Text: Default,
                Sum: Merge<Buckets>,
            {
                $($( <$merge as Merge<$type>>::merge(&mut self.$name, &more.$name); )*)*
            }

            /// Computes the figures that follow from others.
            pub fn derive(&mut self) {
                $($( $( $crate::derived!(self $name $origin $(($($from)*))?); )+ )*)*
            }

            /// Makes of each figure what it is where there is no sample, if there is none.
            pub fn settle(&mut self)
            where
                Text: Default,
                Sum: Merge<Buckets>,
            {
                if self.count == 0 {
                    $($( <$merge as Merge<$type>>::without_samples(&mut self.$name); )*)*
                }
            }

            /// The record of the time from `then` to this one, or the first column that fell.
            pub fn since(&self, then: &Self) -> Result<Self, Decrease>
            where
                Text: Clone,
                Difference: Since<Buckets>,
            {
                let fresh = then.count == 0;
                Ok(Self { $($(
                    $name: <$since as Since<$type>>::since(&then.$name, &self.$name, fresh)
                        .map_err(|fell| Decrease {
                            column: stringify!($name),
                            then: fell.then,
                            now: fell.now,
                        })?,
                )*)* })
            }

            /// Writes the line, less its end.
            pub fn write<Out: ::core::fmt::Write>(&self, out: &mut Out) -> ::core::fmt::Result
            where
                Text: Word,
                Option<Text>: Word,
                Buckets: Word,
            {
                $($(
                    if stringify!($name) != COLUMNS[0] {
                        out.write_char(' ')?;
                    }
                    self.$name.write(out)?;
                )*)*
                Ok(())
            }
        }
    };
}

/// Sets a figure that follows from others, where `derived(…)` says so.
#[macro_export]
macro_rules! derived {
    ($record:ident $name:ident derived($first:ident $(+ $more:ident)+)) => {
        $record.$name = $record.$first$(.wrapping_add($record.$more))+;
    };
    ($record:ident $name:ident derived($first:ident $(- $less:ident)+)) => {
        $record.$name = $record.$first$(.wrapping_sub($record.$less))+;
    };
    ($record:ident $name:ident $origin:ident $(($($from:tt)*))?) => {};
}

use super::rules::*;
use super::word::Word;

figures!(record);
