// SPDX-License-Identifier: GPL-2.0

//! What is of one frame, from all recordings.

use std::collections::BTreeMap;

use xcap_abi::stage::Stage;

use crate::calls::{held, Held};
use crate::path::Places;
use crate::recording::{Mark, Recording};
use crate::timeline::{Span, Ticks, Visit};

/// The visits of each frame, by its number; a frame can come to the same place more than once.
pub fn visits(
    recordings: &[Recording],
    places: &Places,
    offset: Ticks,
) -> BTreeMap<u64, Vec<Visit>> {
    let mut frames = BTreeMap::new();
    for (number, recording) in recordings.iter().enumerate() {
        let domain = OfDomain {
            recording,
            number,
            places,
            held: held(recording),
            // What dom0's time is behind this one's.
            offset: match recording.domain() {
                "domU" => offset,
                _ => 0,
            },
        };
        domain.add(&mut frames);
    }
    frames
}

struct OfDomain<'a> {
    recording: &'a Recording,
    number: usize,
    places: &'a Places,
    held: Vec<Held>,
    offset: Ticks,
}

impl OfDomain<'_> {
    fn add(&self, frames: &mut BTreeMap<u64, Vec<Visit>>) {
        let copying = self.batches(Stage::GrantCopy);
        let notifying = self.batches(Stage::Notify);
        for (at, mark) in self.recording.marks.iter().enumerate() {
            let Some(frame) = mark.frame else { continue };
            let Some(visit) = self.visit(at, Some(frame)) else {
                continue;
            };
            let visits = frames.entry(frame).or_default();
            visits.push(visit);
            visits.extend(self.handed_by(at, frame));
            if self.recording.stage(mark.place) == Some(Stage::Copy) {
                // A frame's last grant is copied when its call has returned.
                let copied = next(&copying, mark.cpu, mark.exit);
                visits.extend(copied.and_then(|at| self.visit(at, None)));
                if let Some(copied) = copied.map(|at| &self.recording.marks[at]) {
                    let later = next(&copying, mark.cpu, copied.exit);
                    let later = later.map(|at| self.recording.marks[at].entry);
                    let notified = next(&notifying, mark.cpu, copied.exit).filter(|&at| {
                        later.is_none_or(|later| self.recording.marks[at].entry < later)
                    });
                    visits.extend(notified.and_then(|at| self.visit(at, None)));
                }
            }
        }
    }

    fn time(&self, tsc: u64) -> Ticks {
        Ticks::from(tsc) - self.offset
    }

    fn span(&self, mark: &Mark) -> Span {
        (self.time(mark.entry), self.time(mark.exit))
    }

    /// A mark as a visit of this frame, or of all that were in it.
    fn visit(&self, at: usize, frame: Option<u64>) -> Option<Visit> {
        let mark = &self.recording.marks[at];
        let (entry, exit) = self.span(mark);
        let within = self.held[at].calls.iter();
        let within = within.map(|&call| &self.recording.marks[call]);
        let others = within.filter(|call| frame.is_none() || call.frame != frame);
        Some(Visit {
            place: self.places.number(self.number, mark.place)?,
            mark: at,
            cpu: mark.cpu,
            entry,
            exit,
            since: None,
            others: others.map(|call| self.span(call)).collect(),
            switched: mark.switched,
        })
    }

    /// What the call that made this one did for the frame.
    fn handed_by(&self, at: usize, frame: u64) -> Option<Visit> {
        let by = self.held[at].by?;
        let holder = &self.recording.marks[by];
        if holder.frame.is_some() {
            return None;
        }
        let stage = self.recording.stage(self.recording.marks[at].place);
        match (self.recording.stage(holder.place)?, stage) {
            (Stage::Recvmsg, Some(Stage::CopyUser)) | (Stage::TxSend, Some(Stage::TxQueue)) => {
                self.visit(by, Some(frame))
            }
            (Stage::Softirq, Some(Stage::Bridge | Stage::Deliver)) => self
                .left_by_a_poll(at, by)
                .or_else(|| self.handed_by_a_poll(at, by)),
            (Stage::NicPoll, Some(Stage::Bridge | Stage::Deliver))
            | (Stage::TxNetback, Some(Stage::Bridge)) => self.handed_by_a_poll(at, by),
            _ => None,
        }
    }

    /// A poll hands frames on, one after the other: what it does directly before is for this one.
    /// If not all frames left marks, it may have been for others.
    fn handed_by_a_poll(&self, at: usize, by: usize) -> Option<Visit> {
        let (mark, poll) = (&self.recording.marks[at], &self.recording.marks[by]);
        let before = match self.recording.stage(poll.place) {
            // What netback does between two frames that a guest sends is for the second, whatever it calls.
            Some(Stage::TxNetback) => self.frame_before(at, by),
            _ => self.held[at].after,
        };
        let before = before.unwrap_or(poll.entry).max(poll.entry);
        let entry = match self.recording.sampling {
            0 | 1 => before,
            _ => mark.entry,
        };
        Some(Visit {
            place: self.places.number(self.number, poll.place)?,
            mark: by,
            cpu: poll.cpu,
            entry: self.time(entry),
            exit: self.time(mark.entry),
            since: Some(self.time(poll.entry)),
            others: Vec::new(),
            switched: poll.switched,
        })
    }

    /// Of a poll that used up its budget, NAPI hands on what is left in its list of frames when the poll has
    /// returned: what the poll did after the last frame that it handed on itself was for the first of them.
    fn left_by_a_poll(&self, at: usize, softirq: usize) -> Option<Visit> {
        let earlier = self.held[softirq].calls.iter();
        let earlier: Vec<usize> = earlier.copied().take_while(|&call| call != at).collect();
        let stage = |call: &usize| self.recording.stage(self.recording.marks[*call].place);
        let polled = earlier
            .iter()
            .rposition(|call| stage(call) == Some(Stage::NicPoll))?;
        let (by, since) = (earlier[polled], &earlier[polled + 1..]);
        let poll = &self.recording.marks[by];
        let marks = |call: &usize| self.recording.marks[*call];
        let is_first = !since.iter().any(|call| marks(call).frame.is_some());
        let mut handed_on = self.held[by].calls.iter().map(marks);
        let handed_on = handed_on.rfind(|mark| mark.frame.is_some());
        let entry = match is_first && self.recording.sampling <= 1 {
            true => handed_on.map_or(poll.entry, |mark| mark.exit),
            false => poll.exit,
        };
        Some(Visit {
            place: self.places.number(self.number, poll.place)?,
            mark: by,
            cpu: poll.cpu,
            entry: self.time(entry),
            exit: self.time(poll.exit),
            since: Some(self.time(poll.entry)),
            others: Vec::new(),
            switched: poll.switched,
        })
    }

    /// When the last frame before this one was handed on by the same call; none: it is the first.
    fn frame_before(&self, at: usize, by: usize) -> Option<u64> {
        let earlier = self.held[by].calls.iter().take_while(|&&call| call != at);
        let marks = earlier.map(|&call| &self.recording.marks[call]);
        let last = marks.filter(|mark| mark.frame.is_some()).last();
        last.map(|mark| mark.exit)
    }

    /// Calls that are of no one frame, by CPU and in order.
    fn batches(&self, stage: Stage) -> BTreeMap<(u16, u64), usize> {
        let marks = self.recording.marks.iter().enumerate();
        marks
            .filter(|(_, mark)| {
                mark.frame.is_none()
                    && mark.entry <= mark.exit
                    && self.recording.stage(mark.place) == Some(stage)
            })
            .map(|(at, mark)| ((mark.cpu, mark.entry), at))
            .collect()
    }
}

/// The first of these on a CPU that began at or after a moment.
fn next(batches: &BTreeMap<(u16, u64), usize>, cpu: u16, from: u64) -> Option<usize> {
    let mut there = batches.range((cpu, from)..=(cpu, u64::MAX));
    there.next().map(|(_, &at)| at)
}
