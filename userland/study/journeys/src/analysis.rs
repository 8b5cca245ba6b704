// SPDX-License-Identifier: GPL-2.0

//! All journeys of a run, and what became of the frames that have none.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use xcap_abi::stage::Stage;

use crate::clock::Clock;
use crate::join;
use crate::look::Look;
use crate::path::Places;
use crate::recording::Recording;
use crate::timeline::{cut, Segment, Ticks, Visit};
use crate::unit::Unit;

/// What others counted of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// By the sender: frames 0 to this one, it left out.
    pub sent: Option<u64>,
    /// By the capturing program.
    pub captured: Option<u64>,
}

/// One frame from its first place to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub frame: u64,
    /// In the order of their entries.
    pub visits: Vec<Visit>,
    pub segments: Vec<Segment>,
}

impl Journey {
    fn of(frame: u64, mut visits: Vec<Visit>) -> Self {
        visits.sort_by_key(|visit| (visit.entry, visit.place));
        Self {
            frame,
            segments: cut(&visits),
            visits,
        }
    }

    pub fn total(&self) -> Ticks {
        let ends = self.segments.first().zip(self.segments.last());
        ends.map_or(0, |(first, last)| last.to - first.from)
    }

    pub fn service(&self) -> Ticks {
        let services = self.segments.iter().filter(|part| part.what.is_service());
        services.map(Segment::length).sum()
    }

    pub fn wait(&self) -> Ticks {
        let waits = self.segments.iter().filter(|part| !part.what.is_service());
        waits.map(Segment::length).sum()
    }
}

/// Why a frame that was captured has no whole journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It left no mark at this place.
    Missing(usize),
    /// More than one frame had its number there.
    Repeated(usize),
    /// It was there before it was where frames are before.
    OutOfOrder(usize),
    /// A call there that returned before it began.
    Impossible(usize),
    /// No frame of this number was sent.
    NeverSent,
    /// It was captured and left no mark at the last place.
    NoMark,
}

/// All frames of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    pub places: Places,
    pub clock: Clock,
    pub counted: Counted,
    pub tsc_khz: u64,
    /// What a tick is, which marks don't say.
    pub unit: Unit,
    pub sampling: u64,
    /// Marks for which there was no room, by domain.
    pub dropped: Vec<(&'static str, u64)>,
    /// Places to which each captured frame comes.
    pub path: BTreeSet<usize>,
    /// Captured, and whole.
    pub whole: Vec<Journey>,
    /// Captured, and not whole.
    pub broken: Vec<(Journey, Reason)>,
    /// Not captured, with the place where it was seen last, if anywhere.
    pub lost: Vec<(u64, Option<usize>)>,
    /// At the capturing socket.
    pub looks: Vec<Look>,
}

impl Analysis {
    /// Of the recordings of one run, in the order in which frames come to them: that of dom0 and the
    /// domU's, the other way round where the domU sends, or the bare machine's.
    /// Its ticks are cycles, unless [`in_unit`](Self::in_unit) says what else.
    pub fn new(recordings: &[Recording], counted: Counted) -> Result<Self> {
        let places = Places::of(recordings);
        let clock = Clock::of(recordings)?;
        let frames = join::visits(recordings, &places, clock.offset_ticks);
        let last = last_place(&places, &frames);
        let (captured, lost): (BTreeMap<_, _>, BTreeMap<_, _>) = frames
            .into_iter()
            .partition(|(_, visits)| visits.iter().any(|visit| Some(visit.place) == last));
        let path = path(&places, &captured);
        let sampling = recordings.iter().map(|recording| recording.sampling);
        let sampling = sampling.max().unwrap_or(1).max(1);
        let mut whole = Vec::new();
        let mut broken = Vec::new();
        let lost = all_lost(&lost, &captured, counted.sent, sampling);
        for (frame, visits) in captured {
            let fault = fault(frame, &visits, &places, &path, counted);
            let visits = clipped(visits, &places);
            let fault = fault.or_else(|| out_of_order(&visits, &places));
            let journey = Journey::of(frame, visits);
            match fault {
                None => whole.push(journey),
                Some(reason) => broken.push((journey, reason)),
            }
        }
        Ok(Self {
            places,
            clock,
            counted,
            tsc_khz: recordings.first().map_or(0, |recording| recording.tsc_khz),
            unit: Unit::default(),
            sampling,
            dropped: recordings
                .iter()
                .map(|recording| (recording.domain(), recording.dropped))
                .collect(),
            path,
            whole,
            broken,
            lost,
            looks: Vec::new(),
        })
    }

    /// The same, of marks whose ticks are these.
    pub fn in_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// The same, where somebody looked at the capturing socket.
    pub fn with_looks(self, looks: Vec<Look>) -> Self {
        Self { looks, ..self }
    }

    /// What the common time is behind that of the domain that captures.
    pub(crate) fn looks_offset(&self) -> Ticks {
        let captures = self.places.iter().last();
        match captures.map(|(_, place)| place.domain) {
            Some("domU") => self.clock.offset_ticks,
            _ => 0,
        }
    }

    /// Frames captured: as the program counted, unless not all left marks.
    pub fn captured(&self) -> u64 {
        let marked = (self.whole.len() + self.broken.len()) as u64;
        match self.counted.captured {
            Some(captured) if self.sampling == 1 => captured.max(marked),
            _ => marked,
        }
    }

    /// How many captured frames have no whole journey, and why.
    pub fn reasons(&self) -> BTreeMap<Reason, u64> {
        let mut reasons = BTreeMap::new();
        for (_, reason) in &self.broken {
            *reasons.entry(*reason).or_default() += 1;
        }
        let silent = self.captured() - (self.whole.len() + self.broken.len()) as u64;
        if silent > 0 {
            reasons.insert(Reason::NoMark, silent);
        }
        reasons
    }
}

/// Where frames leave their last marks.
fn last_place(places: &Places, frames: &BTreeMap<u64, Vec<Visit>>) -> Option<usize> {
    let visits = frames.values().flatten();
    let known = visits.filter(|visit| places.get(visit.place).stage.is_some());
    known.map(|visit| visit.place).max()
}

/// Places to which more than half of the captured frames came: all should have.
fn path(places: &Places, captured: &BTreeMap<u64, Vec<Visit>>) -> BTreeSet<usize> {
    let mut came = vec![0; places.len()];
    for visits in captured.values() {
        let there: BTreeSet<usize> = visits.iter().map(|visit| visit.place).collect();
        there.into_iter().for_each(|place| came[place] += 1);
    }
    (0..places.len())
        .filter(|&place| came[place] * 2 > captured.len())
        // One notification serves many frames, and a guest that is at work gets none. And who awaits
        // the first frame does so since before marks were left.
        .filter(|&place| {
            let place = places.get(place);
            place.stage != Some(Stage::Notify) && !place.awaits_frames()
        })
        .collect()
}

fn fault(
    frame: u64,
    visits: &[Visit],
    places: &Places,
    path: &BTreeSet<usize>,
    counted: Counted,
) -> Option<Reason> {
    if counted.sent.is_some_and(|sent| frame >= sent) {
        return Some(Reason::NeverSent);
    }
    if let Some(visit) = visits.iter().find(|visit| visit.entry > visit.exit) {
        return Some(Reason::Impossible(visit.place));
    }
    let mut there = vec![0; places.len()];
    visits.iter().for_each(|visit| there[visit.place] += 1);
    if let Some(place) = there.iter().position(|&times| times > 1) {
        return Some(Reason::Repeated(place));
    }
    let missing = path.iter().find(|&&place| there[place] == 0);
    missing.map(|&place| Reason::Missing(place))
}

/// A call that began before its frame had come served it from when it had something to copy.
fn clipped(mut visits: Vec<Visit>, places: &Places) -> Vec<Visit> {
    let time = |stage| {
        let at = |visit: &&Visit| places.get(visit.place).stage == Some(stage);
        visits
            .iter()
            .find(at)
            .map(|visit| (visit.entry, visit.exit))
    };
    let (delivered, copied) = (time(Stage::Deliver), time(Stage::CopyUser));
    for visit in &mut visits {
        if places.get(visit.place).awaits_frames() {
            let came = delivered.map_or(visit.entry, |(_, exit)| exit);
            // A copy that it didn't make says nothing of it.
            let made = |&(copied, _): &(Ticks, Ticks)| visit.entry < came && copied <= visit.exit;
            if let Some((copied, _)) = copied.filter(made) {
                visit.entry = copied;
                // Who slept was switched away, and that is over.
                visit.switched = false;
            }
        }
    }
    visits
}

/// The first place that a frame came to too early.
fn out_of_order(visits: &[Visit], places: &Places) -> Option<Reason> {
    let mut ordered: Vec<&Visit> = visits
        .iter()
        .filter(|visit| {
            let stage = places.get(visit.place).stage;
            stage.is_some() && stage != Some(Stage::Notify)
        })
        .collect();
    ordered.sort_by_key(|visit| visit.place);
    let early = ordered
        .windows(2)
        .find(|pair| pair[1].entry < pair[0].entry);
    early.map(|pair| Reason::OutOfOrder(pair[1].place))
}

/// Frames that were sent and not captured.
fn all_lost(
    seen: &BTreeMap<u64, Vec<Visit>>,
    captured: &BTreeMap<u64, Vec<Visit>>,
    sent: Option<u64>,
    sampling: u64,
) -> Vec<(u64, Option<usize>)> {
    let last = |visits: &Vec<Visit>| {
        let last = visits.iter().max_by_key(|visit| (visit.entry, visit.place));
        last.map(|visit| visit.place)
    };
    match sent {
        None => seen
            .iter()
            .map(|(&frame, visits)| (frame, last(visits)))
            .collect(),
        Some(sent) => (0..sent)
            .step_by(usize::try_from(sampling).unwrap_or(usize::MAX))
            .filter(|frame| !captured.contains_key(frame))
            .map(|frame| (frame, seen.get(&frame).and_then(last)))
            .collect(),
    }
}
