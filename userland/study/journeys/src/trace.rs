// SPDX-License-Identifier: GPL-2.0

//! A run as a trace that viewers know: the Trace Event Format, which Perfetto and Chrome open.
//!
//! Each domain is a process and each of its CPUs a thread, with the calls that left marks; arrows
//! follow each frame from call to call. A process of its own shows frames as rows, with their
//! services and waits, and how many waited for each place.
//!
//! Viewers drop what overlaps on a thread and isn't nested. So times are whole nanoseconds, and a call that slept while
//! others began on its CPU is on a thread beside that.

use std::io::Write;

use anyhow::Result;
use serde_json::{json, Value};

use crate::analysis::{Analysis, Journey};
use crate::lanes::Lanes;
use crate::queue::Queue;
use crate::recording::Recording;
use crate::timeline::Ticks;

/// The process whose threads are frames.
const FRAMES: usize = 100;

/// Between the numbers of threads of one CPU: more than any CPU's.
const BESIDE: u64 = 1 << 16;

struct Trace<'a> {
    analysis: &'a Analysis,
    /// Of each recording.
    lanes: Vec<Lanes>,
    begin: Ticks,
    events: Vec<Value>,
}

/// Writes the trace of a run, with the recordings that it was analysed from.
pub fn write(analysis: &Analysis, recordings: &[Recording], to: impl Write) -> Result<()> {
    let offset = |recording: &Recording| match recording.domain() {
        "domU" => analysis.clock.offset_ticks,
        _ => 0,
    };
    let times = recordings.iter().flat_map(|recording| {
        let marks = recording.marks.iter();
        marks.map(move |mark| Ticks::from(mark.entry) - offset(recording))
    });
    let mut trace = Trace {
        analysis,
        lanes: recordings.iter().map(Lanes::of).collect(),
        begin: times.min().unwrap_or(0),
        events: Vec::new(),
    };
    for (number, recording) in recordings.iter().enumerate() {
        trace.domain(number, recording, offset(recording));
    }
    trace.process(FRAMES, "frames");
    for journey in &analysis.whole {
        trace.journey(journey);
    }
    for queue in Queue::all(analysis) {
        trace.queue(&queue);
    }
    let all = json!({
        "displayTimeUnit": "ns",
        "otherData": {
            "made by": "xcap",
            "tsc_khz": analysis.tsc_khz.to_string(),
            // Viewers know seconds only.
            "a tick is one of": analysis.unit.word(),
        },
        "traceEvents": trace.events,
    });
    Ok(serde_json::to_writer(to, &all)?)
}

/// The thread of a call. None is 0, which Perfetto takes for every process's.
fn thread(cpu: u16, lane: usize) -> u64 {
    1 + lane as u64 * BESIDE + u64::from(cpu)
}

/// The thread of a frame.
fn row(frame: u64) -> u64 {
    1 + frame
}

impl Trace<'_> {
    /// Nanoseconds from the beginning, whole ones: what ends at the same tick ends at the same time.
    fn nanoseconds(&self, ticks: Ticks) -> Ticks {
        let khz = Ticks::from(self.analysis.tsc_khz.max(1));
        ((ticks - self.begin) * 1_000_000).div_euclid(khz)
    }

    /// Microseconds from the beginning.
    fn at(&self, ticks: Ticks) -> f64 {
        self.nanoseconds(ticks) as f64 / 1e3
    }

    fn length(&self, from: Ticks, to: Ticks) -> f64 {
        (self.nanoseconds(to) - self.nanoseconds(from)) as f64 / 1e3
    }

    fn process(&mut self, number: usize, name: &str) {
        let event = json!({
            "ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": { "name": name },
        });
        self.events.push(event);
    }

    fn thread(&mut self, process: usize, number: u64, name: String) {
        let event = json!({
            "ph": "M", "name": "thread_name", "pid": process, "tid": number,
            "args": { "name": name },
        });
        self.events.push(event);
    }

    /// The calls of a domain.
    fn domain(&mut self, number: usize, recording: &Recording, offset: Ticks) {
        let process = number + 1;
        self.process(process, recording.domain());
        let lanes: Vec<_> = self.lanes[number].all().collect();
        for (cpu, lane) in lanes {
            let name = match lane {
                0 => format!("CPU {cpu}"),
                _ => format!("CPU {cpu}, slept"),
            };
            self.thread(process, thread(cpu, lane), name);
        }
        let drawn: Vec<_> = self.lanes[number].drawn().collect();
        for (at, lane) in drawn {
            let mark = &recording.marks[at];
            let Some(name) = recording.places.get(mark.place) else {
                continue;
            };
            let (entry, exit) = (
                Ticks::from(mark.entry) - offset,
                Ticks::from(mark.exit) - offset,
            );
            let mut event = json!({
                "ph": "X", "name": name, "cat": "call", "pid": process, "tid": thread(mark.cpu, lane),
                "ts": self.at(entry), "dur": self.length(entry, exit),
            });
            if let Some(frame) = mark.frame {
                event["args"] = json!({ "frame": frame });
            }
            self.events.push(event);
        }
    }

    /// A frame: its arrows from call to call, and its row.
    fn journey(&mut self, journey: &Journey) {
        let last = journey.visits.len().saturating_sub(1);
        for (at, visit) in journey.visits.iter().enumerate() {
            let place = self.analysis.places.get(visit.place);
            let step = match at {
                0 => "s",
                at if at == last => "f",
                _ => "t",
            };
            let lane = self.lanes[place.recording].of_mark(visit.mark);
            let event = json!({
                "ph": step, "bp": "e", "name": "frame", "cat": "frame", "id": journey.frame,
                "pid": place.recording + 1, "tid": thread(visit.cpu, lane),
                "ts": self.at(visit.entry),
            });
            self.events.push(event);
        }
        self.thread(
            FRAMES,
            row(journey.frame),
            format!("frame {}", journey.frame),
        );
        for segment in &journey.segments {
            let place = self.analysis.places.get(segment.what.place());
            let name = match segment.what.is_service() {
                true => place.to_string(),
                false => format!("{} {place}", segment.what.word()),
            };
            let event = json!({
                "ph": "X", "name": name, "cat": segment.what.word(), "pid": FRAMES,
                "tid": row(journey.frame), "ts": self.at(segment.from),
                "dur": self.length(segment.from, segment.to),
            });
            self.events.push(event);
        }
    }

    fn queue(&mut self, queue: &Queue) {
        let place = self.analysis.places.get(queue.place);
        let name = format!("waiting for {place}");
        for &(at, length) in &queue.lengths {
            let event = json!({
                "ph": "C", "name": name, "pid": FRAMES, "tid": 0, "ts": self.at(at),
                "args": { "frames": length },
            });
            self.events.push(event);
        }
    }
}
