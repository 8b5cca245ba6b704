// SPDX-License-Identifier: GPL-2.0

//! Queues: frames that wait for a place, over time; and Little's law of them.
//!
//! The law is an identity of any record that begins and ends with empty queues: the length's integral is the sum of
//! the waits. It says nothing of the clock. What it compares here is all frames that left marks with those of whole
//! journeys, and their number with what the capturing program counted: frames without marks, or that are joined
//! wrongly, would show. Whether lengths are those that the kernel counted is for [`crate::socket`].

use serde::Serialize;

use crate::analysis::Analysis;
use crate::timeline::{Ticks, What};

/// So many lengths are told, at even distances.
const TOLD: i128 = 60;

/// What waits for one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub place: usize,
    /// When its length changed, and to what.
    pub lengths: Vec<(Ticks, u64)>,
    pub from: Ticks,
    pub to: Ticks,
}

/// Little's law: the mean length is the rate times the mean wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Little {
    /// Of the length over time, by when frames came and went, whoever they were.
    pub mean_length: f64,
    /// By what the capturing program counted.
    pub frames_per_second: f64,
    /// Of the frames with whole journeys.
    pub mean_wait_ticks: f64,
    /// The rate times the wait.
    pub expected_length: f64,
}

impl Queue {
    /// The queues before all places that captured frames waited for, in order.
    pub fn all(analysis: &Analysis) -> Vec<Self> {
        let journeys = || {
            let broken = analysis.broken.iter().map(|(journey, _)| journey);
            analysis.whole.iter().chain(broken)
        };
        let edges = journeys().flat_map(|journey| journey.segments.iter());
        let (Some(from), Some(to)) = (
            edges.clone().map(|segment| segment.from).min(),
            edges.map(|segment| segment.to).max(),
        ) else {
            return Vec::new();
        };
        let mut queues = Vec::new();
        for (place, _) in analysis.places.iter() {
            let mut changes = Vec::new();
            for journey in journeys() {
                for segment in &journey.segments {
                    if segment.what == What::Before(place) {
                        changes.extend([(segment.from, 1), (segment.to, -1)]);
                    }
                }
            }
            if !changes.is_empty() {
                queues.push(Self {
                    place,
                    lengths: lengths(changes),
                    from,
                    to,
                });
            }
        }
        queues
    }

    pub fn longest(&self) -> u64 {
        self.lengths
            .iter()
            .map(|&(_, length)| length)
            .max()
            .unwrap_or(0)
    }

    /// The length over time, its mean.
    pub fn mean(&self) -> f64 {
        let ends = self
            .lengths
            .iter()
            .skip(1)
            .map(|&(at, _)| at)
            .chain([self.to]);
        let area: i128 = self
            .lengths
            .iter()
            .zip(ends)
            .map(|(&(from, length), to)| (to - from) * i128::from(length))
            .sum();
        area as f64 / (self.to - self.from).max(1) as f64
    }

    /// The greatest length in each of a number of parts of the time.
    pub fn told(&self) -> Vec<u64> {
        let span = self.to - self.from;
        let part = (span / TOLD).max(1);
        let mut told = Vec::new();
        let mut changes = self.lengths.iter().peekable();
        let mut length = 0;
        for number in 0..TOLD {
            let end = self.from + part * (number + 1);
            let mut longest = length;
            while let Some(&(_, to)) = changes.next_if(|&&(at, _)| at < end) {
                length = to;
                longest = longest.max(length);
            }
            told.push(longest);
        }
        told
    }

    /// Whether its figures agree with what was counted; none: nobody counted.
    pub fn little(&self, analysis: &Analysis) -> Option<Little> {
        let captured = analysis
            .counted
            .captured
            .filter(|_| analysis.sampling == 1)?;
        let whole = analysis.whole.len();
        if whole == 0 || analysis.tsc_khz == 0 {
            return None;
        }
        let waits = analysis.whole.iter().flat_map(|journey| &journey.segments);
        let waited: Ticks = waits
            .filter(|segment| segment.what == What::Before(self.place))
            .map(|segment| segment.length())
            .sum();
        let mean_wait = waited as f64 / whole as f64;
        let span = (self.to - self.from).max(1) as f64;
        let rate = captured as f64 / span;
        Some(Little {
            mean_length: self.mean(),
            frames_per_second: rate * analysis.tsc_khz as f64 * 1e3,
            mean_wait_ticks: mean_wait,
            expected_length: rate * mean_wait,
        })
    }
}

/// Lengths from changes, one at each moment.
fn lengths(mut changes: Vec<(Ticks, i64)>) -> Vec<(Ticks, u64)> {
    changes.sort_unstable();
    let mut lengths: Vec<(Ticks, u64)> = Vec::new();
    let mut length: i64 = 0;
    for (at, change) in changes {
        length += change;
        // Of those who come and go at one moment, some go first.
        let shown = length.max(0) as u64;
        match lengths.last_mut() {
            Some(last) if last.0 == at => last.1 = shown,
            _ => lengths.push((at, shown)),
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_mean_is_its_length_over_time() {
        let queue = Queue {
            place: 0,
            lengths: lengths(vec![(10, 1), (40, -1), (20, 1), (40, -1)]),
            from: 0,
            to: 100,
        };
        assert_eq!(queue.lengths, [(10, 1), (20, 2), (40, 0)]);
        assert_eq!(queue.longest(), 2);
        assert!((queue.mean() - 0.5).abs() < 1e-9);
        let told = queue.told();
        assert_eq!((told[0], told[15], told[25], told[50]), (0, 1, 2, 0));
    }
}
