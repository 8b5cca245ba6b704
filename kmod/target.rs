// SPDX-License-Identifier: GPL-2.0

//! What a backend has to know of the function that it hooks.

use super::{cells::Constants, marking::Marking, scope::Scope};
use crate::abi::stages::Work;

/// A function to be hooked.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: usize,
    pub(crate) sleeps: bool,
    /// From the stage table, which is short.
    pub(crate) is_stage: bool,
    /// May return a value in two registers.
    pub(crate) returns_wide: bool,
    pub(crate) work: Work,
    pub(crate) costs: Costs,
    /// How its calls leave marks; none: they don't.
    pub(crate) marking: Option<Marking>,
    /// Which of its calls count; none: all.
    pub(crate) scope: Option<Scope>,
}

/// What a hit costs, in cycles, as calibrated.
#[derive(Clone, Copy, Default)]
pub(crate) struct Costs {
    pub(crate) inside: u32,
    pub(crate) outside: u32,
    /// Of a call that is out of scope.
    pub(crate) away: u32,
}

impl Costs {
    pub(crate) fn whole(self) -> u32 {
        self.inside.saturating_add(self.outside)
    }
}

impl Target {
    /// What the cells have to know of it.
    pub(crate) fn constants(&self) -> Constants {
        Constants {
            work_mask: match self.work {
                Work::None => 0,
                // A count is not negative.
                Work::Returned => i32::MAX as u64,
                Work::Argument(_) => u64::from(u32::MAX),
            },
            outside: self.costs.outside,
            cost: self.costs.whole(),
            away: self.costs.away,
            marking: self.marking.map_or(0, Marking::word),
            scope: self.scope,
        }
    }
}
