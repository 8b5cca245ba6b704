// SPDX-License-Identifier: GPL-2.0

//! What is told of a run's journeys: journeys.json.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Analysis, Journey, Reason};
use crate::clock::Clock;
use crate::distribution::{at, Distribution};
use crate::queue::{Little, Queue};
use crate::socket::Socket;
use crate::timeline::{Ticks, What};
use crate::unit::Unit;

/// Version of journeys.json.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub format: u32,
    /// Frames that the sender says it sent.
    pub sent: Option<u64>,
    /// Frames captured: those that should have a whole journey.
    pub captured: u64,
    /// Frames with a whole journey; all figures below are of these.
    pub complete: u64,
    /// Why the others have none.
    pub incomplete: Vec<Incomplete>,
    /// Frames that were not captured, by where they were seen last.
    pub lost: Vec<Lost>,
    /// One of so many frames left marks.
    pub sampling: u64,
    pub tsc_khz: u64,
    /// What a tick is.
    pub unit: Unit,
    /// Marks for which there was no room, by domain.
    pub dropped_marks: BTreeMap<String, u64>,
    /// Sums over the complete ones: service and wait are the total.
    pub service_ticks: Ticks,
    pub wait_ticks: Ticks,
    pub total_ticks: Ticks,
    pub total: Option<Distribution>,
    pub service: Option<Distribution>,
    pub wait: Option<Distribution>,
    /// In the order in which frames come to them.
    pub places: Vec<AtPlace>,
    pub queues: Vec<OfQueue>,
    /// The queue before `recvmsg`, as the kernel counts it.
    pub socket: Option<Socket>,
    pub clock: Clock,
    /// The frame that half of the others took no longer than, and the one that 99 % took no longer than.
    pub median: Option<Told>,
    pub p99: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incomplete {
    /// `missing`, `repeated`, `out_of_order`, `impossible`, `never_sent` or `no_mark`.
    pub reason: &'static str,
    pub domain: Option<&'static str>,
    pub place: Option<String>,
    pub frames: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lost {
    /// `null`: nowhere.
    pub domain: Option<&'static str>,
    pub place: Option<String>,
    pub frames: u64,
}

/// How long frames were served at a place, waited for it, and waited in it while it did something
/// else: of each frame that came there, ticks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtPlace {
    pub domain: &'static str,
    pub place: String,
    pub frames: u64,
    pub service: Option<Distribution>,
    pub wait_before: Option<Distribution>,
    pub wait_within: Option<Distribution>,
    /// Calls during which another task ran: their service holds its time.
    pub switched: u64,
}

/// Frames that waited for a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfQueue {
    pub domain: &'static str,
    pub place: String,
    pub longest: u64,
    /// The greatest length in each of the parts that the run's time is cut into.
    pub lengths: Vec<u64>,
    pub little: Option<Little>,
}

/// One frame's journey.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    pub frame: u64,
    pub service_ticks: Ticks,
    pub wait_ticks: Ticks,
    pub total_ticks: Ticks,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// `service` at the place, wait `before` it or `within` it.
    pub what: &'static str,
    pub domain: &'static str,
    pub place: String,
    /// From the journey's beginning.
    pub from_ticks: Ticks,
    pub ticks: Ticks,
}

impl Reason {
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Repeated(_) => "repeated",
            Self::OutOfOrder(_) => "out_of_order",
            Self::Impossible(_) => "impossible",
            Self::NeverSent => "never_sent",
            Self::NoMark => "no_mark",
        }
    }

    pub fn place(self) -> Option<usize> {
        match self {
            Self::Missing(place)
            | Self::Repeated(place)
            | Self::OutOfOrder(place)
            | Self::Impossible(place) => Some(place),
            Self::NeverSent | Self::NoMark => None,
        }
    }
}

impl What {
    pub fn word(self) -> &'static str {
        match self {
            Self::Service(_) => "service",
            Self::Before(_) => "before",
            Self::Within(_) => "within",
        }
    }
}

impl Summary {
    pub fn new(analysis: &Analysis) -> Self {
        let whole = &analysis.whole;
        let of =
            |length: fn(&Journey) -> Ticks| Distribution::of(whole.iter().map(length).collect());
        let sum = |length: fn(&Journey) -> Ticks| whole.iter().map(length).sum();
        Self {
            format: FORMAT,
            sent: analysis.counted.sent,
            captured: analysis.captured(),
            complete: whole.len() as u64,
            incomplete: incomplete(analysis),
            lost: lost(analysis),
            sampling: analysis.sampling,
            tsc_khz: analysis.tsc_khz,
            unit: analysis.unit,
            dropped_marks: analysis
                .dropped
                .iter()
                .map(|&(domain, dropped)| (domain.to_owned(), dropped))
                .collect(),
            service_ticks: sum(Journey::service),
            wait_ticks: sum(Journey::wait),
            total_ticks: sum(Journey::total),
            total: of(Journey::total),
            service: of(Journey::service),
            wait: of(Journey::wait),
            places: places(analysis),
            queues: queues(analysis),
            socket: Socket::of(analysis),
            clock: analysis.clock.clone(),
            median: told(analysis, 50),
            p99: told(analysis, 99),
        }
    }

    pub fn microseconds(&self, ticks: Ticks) -> f64 {
        ticks as f64 * 1e3 / self.tsc_khz.max(1) as f64
    }
}

/// A place for who reads of it.
fn named(analysis: &Analysis, place: Option<usize>) -> (Option<&'static str>, Option<String>) {
    let place = place.map(|place| analysis.places.get(place));
    (
        place.map(|place| place.domain),
        place.map(|place| place.name.clone()),
    )
}

fn incomplete(analysis: &Analysis) -> Vec<Incomplete> {
    let told = |(reason, frames): (Reason, u64)| {
        let (domain, place) = named(analysis, reason.place());
        Incomplete {
            reason: reason.word(),
            domain,
            place,
            frames,
        }
    };
    analysis.reasons().into_iter().map(told).collect()
}

fn lost(analysis: &Analysis) -> Vec<Lost> {
    let mut by_place = BTreeMap::new();
    for (_, place) in &analysis.lost {
        *by_place.entry(*place).or_insert(0) += 1;
    }
    let told = |(place, frames)| {
        let (domain, place) = named(analysis, place);
        Lost {
            domain,
            place,
            frames,
        }
    };
    by_place.into_iter().map(told).collect()
}

fn places(analysis: &Analysis) -> Vec<AtPlace> {
    let mut all = Vec::new();
    for (number, place) in analysis.places.iter() {
        let there = || {
            let is_there = |journey: &&Journey| {
                let mut visits = journey.visits.iter();
                visits.any(|visit| visit.place == number)
            };
            analysis.whole.iter().filter(is_there)
        };
        let frames = there().count() as u64;
        if frames == 0 {
            continue;
        }
        let of = |what| {
            let spent = |journey: &Journey| {
                let parts = journey.segments.iter().filter(|part| part.what == what);
                parts.map(|part| part.length()).sum()
            };
            Distribution::of(there().map(spent).collect())
        };
        let visits = there().flat_map(|journey| &journey.visits);
        let switched = visits.filter(|visit| visit.place == number && visit.switched);
        all.push(AtPlace {
            domain: place.domain,
            place: place.name.clone(),
            frames,
            service: of(What::Service(number)),
            wait_before: of(What::Before(number)),
            wait_within: of(What::Within(number)),
            switched: switched.count() as u64,
        });
    }
    all
}

fn queues(analysis: &Analysis) -> Vec<OfQueue> {
    let told = |queue: &Queue| {
        let place = analysis.places.get(queue.place);
        OfQueue {
            domain: place.domain,
            place: place.name.clone(),
            longest: queue.longest(),
            lengths: queue.told(),
            little: queue.little(analysis),
        }
    };
    Queue::all(analysis).iter().map(told).collect()
}

/// The frame that so many per cent took no longer than.
fn told(analysis: &Analysis, per_cent: usize) -> Option<Told> {
    let mut by_total: Vec<&Journey> = analysis.whole.iter().collect();
    by_total.sort_by_key(|journey| (journey.total(), journey.frame));
    let journey = at(&by_total, per_cent)?;
    let begin = journey.segments.first()?.from;
    let parts = journey.segments.iter().map(|segment| {
        let place = analysis.places.get(segment.what.place());
        Part {
            what: segment.what.word(),
            domain: place.domain,
            place: place.name.clone(),
            from_ticks: segment.from - begin,
            ticks: segment.length(),
        }
    });
    Some(Told {
        frame: journey.frame,
        service_ticks: journey.service(),
        wait_ticks: journey.wait(),
        total_ticks: journey.total(),
        parts: parts.collect(),
    })
}
