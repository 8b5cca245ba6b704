// SPDX-License-Identifier: GPL-2.0

//! How much is measured.

#[derive(Clone, Debug)]
pub struct Plan {
    /// Batches of each kind, interleaved.
    pub repetitions: u32,
    /// Calls of a chain in a batch; before each, a quarter of them to get warm.
    pub calls: u64,
    /// The CPU to measure on; the last one otherwise.
    pub cpu: Option<usize>,
}

impl Plan {
    /// Calls before a batch, that caches and predictors know it.
    pub fn warm_up(&self) -> u64 {
        self.calls / 4 + 1
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            repetitions: 61,
            calls: 1009,
            cpu: None,
        }
    }
}
