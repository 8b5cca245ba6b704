// SPDX-License-Identifier: GPL-2.0

//! How a report is to be made.

use crate::correction::CostChoice;

/// How a report is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Level of the intervals, per cent.
    pub level: f64,
    pub cost: CostChoice,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: 95.0,
            cost: CostChoice::default(),
        }
    }
}
