// SPDX-License-Identifier: GPL-2.0

//! How the figures of two CPUs become one, and what two readings say of the time between them.

/// How the figures of two CPUs become one.
pub trait Merge<T> {
    /// The figure of no CPU.
    fn none() -> T;

    /// Takes in another CPU's figure.
    fn merge(into: &mut T, more: &T);

    /// Makes it what it is where there is no sample.
    fn without_samples(_figure: &mut T) {}
}

/// What two readings of a figure say of the time between them.
pub trait Since<T> {
    /// The figure of the time from `then` to `now`; `fresh`: there was no sample before.
    fn since(then: &T, now: &T, fresh: bool) -> Result<T, Fell>;
}

/// A figure that never falls did: from `then` to `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fell {
    pub then: u128,
    pub now: u128,
}

/// A column whose figure fell between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decrease {
    pub column: &'static str,
    pub then: u128,
    pub now: u128,
}

/// The sum, wrapping.
pub enum Sum {}

/// The least that is known.
pub enum Least {}

/// The greatest that is known.
pub enum Greatest {}

/// Whether it holds of all.
pub enum All {}

/// That of the first.
pub enum First {}

/// How much it grew.
pub enum Difference {}

/// What the later reading says.
pub enum Later {}

/// What the later reading says, if there was no sample before: else it can't be told.
pub enum Fresh {}

macro_rules! integer {
    ($($integer:ty)*) => { $(
        impl Merge<$integer> for Sum {
            fn none() -> $integer {
                0
            }

            fn merge(into: &mut $integer, more: &$integer) {
                *into = into.wrapping_add(*more);
            }
        }

        impl Since<$integer> for Difference {
            fn since(then: &$integer, now: &$integer, _fresh: bool) -> Result<$integer, Fell> {
                now.checked_sub(*then).ok_or(Fell {
                    then: (*then).into(),
                    now: (*now).into(),
                })
            }
        }
    )* };
}

integer!(u64 u128);

impl Merge<Option<u64>> for Least {
    fn none() -> Option<u64> {
        None
    }

    fn merge(into: &mut Option<u64>, more: &Option<u64>) {
        *into = match (*into, *more) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn without_samples(figure: &mut Option<u64>) {
        *figure = None;
    }
}

impl Merge<Option<u64>> for Greatest {
    fn none() -> Option<u64> {
        None
    }

    fn merge(into: &mut Option<u64>, more: &Option<u64>) {
        *into = (*into).max(*more);
    }

    fn without_samples(figure: &mut Option<u64>) {
        *figure = None;
    }
}

impl Since<Option<u64>> for Fresh {
    fn since(_then: &Option<u64>, now: &Option<u64>, fresh: bool) -> Result<Option<u64>, Fell> {
        Ok(now.filter(|_| fresh))
    }
}

impl Merge<bool> for All {
    fn none() -> bool {
        true
    }

    fn merge(into: &mut bool, more: &bool) {
        *into &= *more;
    }
}

impl Since<bool> for All {
    fn since(then: &bool, now: &bool, _fresh: bool) -> Result<bool, Fell> {
        Ok(*then && *now)
    }
}

impl<T: Default> Merge<T> for First {
    fn none() -> T {
        T::default()
    }

    fn merge(_into: &mut T, _more: &T) {}
}

impl<T: Clone> Since<T> for Later {
    fn since(_then: &T, now: &T, _fresh: bool) -> Result<T, Fell> {
        Ok(now.clone())
    }
}
