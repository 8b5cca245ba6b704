// SPDX-License-Identifier: GPL-2.0

//! How many rounds a workload does, and for how long.

use std::time::{Duration, Instant};

/// Counts rounds; over when there were enough, or when the time is over.
pub struct Rounds {
    done: u64,
    most: u64,
    deadline: Instant,
}

impl Rounds {
    pub fn new(most: u64, longest: Duration) -> Self {
        Self {
            done: 0,
            most,
            deadline: Instant::now() + longest,
        }
    }

    /// The number of the next round, if there is one.
    pub fn next(&mut self) -> Option<u64> {
        let over = self.done >= self.most || Instant::now() >= self.deadline;
        if over {
            return None;
        }
        self.done += 1;
        Some(self.done - 1)
    }

    pub fn done(&self) -> u64 {
        self.done
    }
}
