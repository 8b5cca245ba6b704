// SPDX-License-Identifier: GPL-2.0

//! The queue at the capturing socket, as marks have it and as the kernel counts it.
//!
//! Little's law is an identity of what marks say. The kernel's count of what a socket holds comes from elsewhere, and
//! so shows whether the lengths that marks give are those that were.

use serde::Serialize;
use xcap_abi::stage::Stage;

use crate::analysis::{Analysis, Journey};
use crate::look::Look;
use crate::timeline::{Ticks, Visit};

/// How the kernel's counts agree with the marks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Socket {
    pub looks: u64,
    /// Those in which the frames counted were as many as marks say, as exactly as they say when that was.
    pub agreeing: u64,
    /// What the kernel counts for a frame: what divides all counts, and makes most looks agree.
    pub frame_bytes: u64,
    /// Frames, by the kernel's counts: the most of any look, and the mean of all.
    pub longest: u64,
    pub mean_length: f64,
    /// The mean by the marks, at the same moments: at least, and at most.
    pub marked_mean_length: (f64, f64),
}

impl Socket {
    /// None: nobody looked, or some frames left no marks.
    pub fn of(analysis: &Analysis) -> Option<Self> {
        let dropped: u64 = analysis.dropped.iter().map(|(_, dropped)| dropped).sum();
        if analysis.sampling > 1 || dropped > 0 || analysis.looks.is_empty() {
            return None;
        }
        let queue = Held::of(analysis);
        let looks = &analysis.looks;
        let bounds: Vec<(u64, u64)> = looks
            .iter()
            .map(|look| queue.during(look, analysis))
            .collect();
        let lengths = |frame_bytes: u64| looks.iter().map(move |look| look.bytes / frame_bytes);
        let agreeing = |frame_bytes| {
            let pairs = lengths(frame_bytes).zip(&bounds);
            let agreeing = pairs.filter(|(length, (least, most))| (least..=most).contains(&length));
            agreeing.count() as u64
        };
        let common = looks.iter().fold(0, |all, look| divisor(all, look.bytes));
        let parts = (1..=common / LEAST_FRAME_BYTES).filter(|parts| common % parts == 0);
        let possible = parts.map(|parts| common / parts);
        let frame_bytes = possible.rev().max_by_key(|&bytes| agreeing(bytes));
        let frame_bytes = frame_bytes.unwrap_or(common.max(1));
        let mean = |sum: u64| sum as f64 / looks.len() as f64;
        Some(Self {
            looks: looks.len() as u64,
            agreeing: agreeing(frame_bytes),
            frame_bytes,
            longest: lengths(frame_bytes).max().unwrap_or(0),
            mean_length: mean(lengths(frame_bytes).sum()),
            marked_mean_length: (
                mean(bounds.iter().map(|(least, _)| least).sum()),
                mean(bounds.iter().map(|(_, most)| most).sum()),
            ),
        })
    }
}

/// A socket buffer takes more than that, whatever is in it.
const LEAST_FRAME_BYTES: u64 = 256;

/// The greatest that divides both; 0 is divided by all.
fn divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        _ => divisor(other, one % other),
    }
}

/// When frames came to the socket and when they left it, each in order. A mark says of neither the very moment, but
/// between which two it was.
struct Held {
    coming: Vec<Ticks>,
    come: Vec<Ticks>,
    leaving: Vec<Ticks>,
    left: Vec<Ticks>,
}

impl Held {
    fn of(analysis: &Analysis) -> Self {
        let broken = analysis.broken.iter().map(|(journey, _)| journey);
        let captured = || analysis.whole.iter().chain(broken.clone());
        let sorted = |stage: Stage, end: fn(&Visit) -> Ticks| {
            let last = |journey: &Journey| {
                let there = |visit: &&Visit| analysis.places.get(visit.place).stage == Some(stage);
                let there = journey.visits.iter().filter(there);
                there.map(end).max()
            };
            let mut ends: Vec<Ticks> = captured().filter_map(last).collect();
            ends.sort_unstable();
            ends
        };
        Self {
            coming: sorted(Stage::Deliver, |visit| visit.entry),
            come: sorted(Stage::Deliver, |visit| visit.exit),
            leaving: sorted(Stage::CopyUser, |visit| visit.exit),
            left: sorted(Stage::Recvmsg, |visit| visit.exit),
        }
    }

    /// How many there were, at least and at most, while somebody looked.
    fn during(&self, look: &Look, analysis: &Analysis) -> (u64, u64) {
        let before = |ends: &[Ticks], at| ends.partition_point(|&end| end < at) as u64;
        let time = |tsc| Ticks::from(tsc) - analysis.looks_offset();
        let (from, to) = (time(look.after), time(look.before));
        let least = before(&self.come, from).saturating_sub(before(&self.leaving, to));
        let most = before(&self.coming, to).saturating_sub(before(&self.left, from));
        (least, most)
    }
}
