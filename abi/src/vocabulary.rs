// SPDX-License-Identifier: GPL-2.0

//! Values that have a word each in xcap's files.

/// An enum whose values have a word each: declared beside them, written by `word`, read by `parse`.
macro_rules! vocabulary {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[doc = $variant_about:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $variant_about])+ $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What it means, as it is told where it is declared.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($variant_about),+),)+
                }
            }

            /// The one with this word; none: a newer xcap may know it.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.word() == word)
            }
        }
    };
}

pub(crate) use vocabulary;
