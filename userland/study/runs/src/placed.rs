// SPDX-License-Identifier: GPL-2.0

//! Frames that were lost, twice: by the counters of the hops, and by the places where their marks end.

use xcap_abi::stage::Stage;

use crate::frames::Hop;
use crate::marked::Marked;

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
    let placed = |point: &Point| {
        let lost = analysis.lost.iter().filter(|(_, last)| match last {
            None => point.after.is_empty(),
            Some(place) => {
                let stage = analysis.places.get(*place).stage;
                stage.is_some_and(|stage| point.after.contains(&stage))
            }
        });
        Placed {
            point: point.name,
            counted: counted(&marked.frames.hops, point),
            marked: lost.count() as u64,
        }
    };
    POINTS
        .iter()
        .map(placed)
        .filter(|placed| (placed.counted, placed.marked) != (0, 0))
        .collect()
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
