// SPDX-License-Identifier: GPL-2.0

//! How many rounds a workload does, and for how long.

use std::time::{Duration, Instant};

/// Counts rounds, of which there is one at least; over when there were enough, or when the time is over.
pub struct Rounds {
    done: u64,
    most: u64,
    longest: Duration,
    /// When the first round began.
    begun: Option<Instant>,
}

impl Rounds {
    pub fn new(most: u64, longest: Duration) -> Self {
        Self {
            done: 0,
            most,
            longest,
            begun: None,
        }
    }

    /// The number of the next round, if there is one.
    pub fn next(&mut self) -> Option<u64> {
        self.begun.get_or_insert_with(Instant::now);
        if self.is_over() {
            return None;
        }
        self.done += 1;
        Some(self.done - 1)
    }

    /// Whether no round begins any more.
    pub fn is_over(&self) -> bool {
        self.done >= self.most || (self.done > 0 && self.time_left().is_zero())
    }

    /// Until no round begins any more.
    pub fn time_left(&self) -> Duration {
        let gone = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.longest.saturating_sub(gone)
    }

    pub fn done(&self) -> u64 {
        self.done
    }
}
