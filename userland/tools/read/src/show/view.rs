// SPDX-License-Identifier: GPL-2.0

//! What of a report is drawn.

use std::collections::HashMap;

/// What to draw, and how wide it may be.
#[derive(Debug, Clone)]
pub struct View {
    /// Characters in a line.
    pub width: usize,
    /// Also the quantiles.
    pub percentiles: bool,
    /// Calls since the last drawing, by stage and function.
    pub new: Option<HashMap<Key, u64>>,
}

/// Tells stages apart: name and function.
pub type Key = (String, Option<String>);

impl Default for View {
    fn default() -> Self {
        Self {
            width: 80,
            percentiles: false,
            new: None,
        }
    }
}
