// SPDX-License-Identifier: GPL-2.0

//! Frames that were lost, twice: by the counters of the hops, and by the places where their marks end.

use xcap_abi::stage::Stage;

use xcap_journeys::analysis::Analysis;

use crate::frames::Hop;
use crate::marked::Marked;
use crate::run::transmit::Transmitted;

/// Frames lost at one point of their way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// For people.
    pub point: &'static str,
    /// By the hop's own counters.
    pub counted: u64,
    /// By the place where frames were seen last.
    pub marked: u64,
}

/// A point of the way: its hops, which of their counters, and after which stages frames vanish there.
struct Point {
    name: &'static str,
    hops: &'static [&'static str],
    is_its: fn(&str) -> bool,
    after: &'static [Stage],
}

const POINTS: [Point; 5] = [
    // What takes a frame from the card leaves its first mark when it hands it on.
    Point {
        name: "before the first mark (wire, NIC)",
        hops: &["wire", "nic"],
        is_its: |_| true,
        after: &[],
    },
    Point {
        name: "in the vif's queue",
        hops: &["vif"],
        is_its: |counter| counter == "queue_dropped",
        after: &[Stage::Bridge],
    },
    Point {
        name: "in netback",
        hops: &["vif"],
        is_its: |counter| counter != "queue_dropped",
        after: &[Stage::Netback],
    },
    Point {
        name: "in netfront",
        hops: &["netfront"],
        is_its: |_| true,
        after: &[
            Stage::Copy,
            Stage::CopyFlush,
            Stage::GrantCopy,
            Stage::Notify,
        ],
    },
    Point {
        name: "in the socket",
        hops: &["socket"],
        is_its: |_| true,
        after: &[Stage::Deliver],
    },
];

/// The points at which frames of a run were lost, in the order of the way. Where not all frames left marks, none can be
/// placed.
pub fn losses(marked: &Marked) -> Vec<Placed> {
    let analysis = &marked.analysis;
    if analysis.sampling > 1 {
        return Vec::new();
    }
    let placed = POINTS.iter().map(|point| {
        let is_there = |last: Option<Stage>| match last {
            None => point.after.is_empty(),
            Some(stage) => point.after.contains(&stage),
        };
        Placed {
            point: point.name,
            counted: counted(&marked.frames.hops, point),
            marked: last_seen(analysis, is_there),
        }
    });
    some(placed)
}

/// The same of frames that were sent. What the guest has no room for its program sends again, and the ring between the
/// domains drops nothing: they are lost where the card or its queue has no room.
pub fn losses_of_sent(transmitted: &Transmitted, analysis: &Analysis) -> Vec<Placed> {
    let before = |last: Option<Stage>| !matches!(last, Some(Stage::Bridge | Stage::TxQueue));
    let points = [
        ("before the bridge", 0, last_seen(analysis, before)),
        (
            "in the card's queue",
            transmitted.dropped,
            last_seen(analysis, |last| !before(last)),
        ),
    ];
    some(points.into_iter().map(|(point, counted, marked)| Placed {
        point,
        counted,
        marked,
    }))
}

fn some(placed: impl Iterator<Item = Placed>) -> Vec<Placed> {
    placed
        .filter(|placed| (placed.counted, placed.marked) != (0, 0))
        .collect()
}

/// Lost frames whose last mark is at one of these stages.
fn last_seen(analysis: &Analysis, is_there: impl Fn(Option<Stage>) -> bool) -> u64 {
    let stage = |place: Option<usize>| analysis.places.get(place?).stage;
    let lost = analysis.lost.iter();
    lost.filter(|(_, last)| is_there(stage(*last))).count() as u64
}

fn counted(hops: &[Hop], point: &Point) -> u64 {
    let hops = hops
        .iter()
        .filter(|hop| point.hops.contains(&hop.hop.as_str()));
    let dropped = hops.flat_map(|hop| &hop.dropped);
    dropped
        .filter(|(counter, _)| (point.is_its)(counter))
        .map(|(_, lost)| lost)
        .sum()
}

impl Placed {
    /// A sentence.
    pub fn told(&self) -> String {
        let Self {
            point,
            counted,
            marked,
        } = self;
        match counted == marked {
            true => format!("{marked} lost {point}, by marks and by counters"),
            false => format!("lost {point}: {marked} by marks, {counted} by counters"),
        }
    }
}
