// SPDX-License-Identifier: GPL-2.0

//! What the domU's TSC is ahead of dom0's, and what bounds it.
//!
//! A paravirtual guest reads the host's TSC; that of others is ahead by what Xen told the
//! processor. Both domains read Xen's time, which tells how much. Frames bound it, too: none is in
//! the domU before it was in dom0, and none is put in a place of the ring that the domU has not
//! emptied of an earlier one.

use std::collections::BTreeMap;

use anyhow::{bail, Result};
use serde::Serialize;
use xcap_abi::mark::XenTime;
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;

use crate::recording::Recording;
use crate::timeline::Ticks;

/// Places in the ring between Xen's backend and the guest, and the frames that the guest takes out
/// before it gives places back.
const RING: usize = 256 + 64;

/// Where the offset is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// There is one domain only.
    OneDomain,
    /// Both read the same TSC.
    SameClock,
    /// Each domain's TSC beside Xen's time.
    XenTime,
    /// Frames, which Xen's time contradicts: as if the fastest had taken no time between the domains.
    Frames,
    /// Nothing tells: taken to be 0.
    Unknown,
}

/// What the domU's TSC less dom0's is not below, and not above; none: nothing tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    pub at_least_ticks: Option<Ticks>,
    pub at_most_ticks: Option<Ticks>,
}

impl Bounds {
    fn add(&mut self, at_least: Option<Ticks>, at_most: Option<Ticks>) {
        self.at_least_ticks = self.at_least_ticks.into_iter().chain(at_least).max();
        self.at_most_ticks = self.at_most_ticks.into_iter().chain(at_most).min();
    }

    /// How far apart they are; none: one is missing.
    pub fn width(&self) -> Option<Ticks> {
        Some(self.at_most_ticks? - self.at_least_ticks?)
    }

    pub fn hold(&self, offset: Ticks) -> bool {
        self.at_least_ticks.is_none_or(|least| least <= offset)
            && self.at_most_ticks.is_none_or(|most| offset <= most)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clock {
    pub source: Source,
    /// The domU's TSC less dom0's.
    pub offset_ticks: Ticks,
    /// By Xen's time, read in both domains.
    pub by_xen: Bounds,
    /// By frames, which are in no domain too early.
    pub by_frames: Bounds,
}

impl Clock {
    /// The offset of two domains' recordings, in the order in which frames come to them.
    pub fn of(recordings: &[Recording]) -> Result<Self> {
        let mut clock = Self {
            source: Source::OneDomain,
            offset_ticks: 0,
            by_xen: Bounds::default(),
            by_frames: Bounds::default(),
        };
        let (dom0, domu) = match recordings {
            [dom0, domu] if dom0.role == Role::Dom0 => (dom0, domu),
            [domu, dom0] => (dom0, domu),
            _ => return Ok(clock),
        };
        same_rate(dom0, domu)?;
        clock.by_xen = by_xen(dom0, domu);
        clock.by_frames = by_frames(dom0, domu);
        let xen = clock.by_xen.at_least_ticks.zip(clock.by_xen.at_most_ticks);
        let frames = clock.by_frames;
        (clock.source, clock.offset_ticks) = match (domu.role, xen, frames.at_most_ticks) {
            (Role::DomUPv, ..) => (Source::SameClock, 0),
            (_, Some((least, most)), _) if frames.hold(least) || frames.hold(most) => {
                (Source::XenTime, (least + most).div_euclid(2))
            }
            (_, _, Some(most)) => (Source::Frames, most),
            (_, Some((least, most)), None) => (Source::XenTime, (least + most).div_euclid(2)),
            _ => (Source::Unknown, 0),
        };
        Ok(clock)
    }

    /// How much the offset may be wrong; none: nothing tells.
    pub fn uncertainty(&self) -> Option<Ticks> {
        match self.source {
            Source::OneDomain | Source::SameClock => Some(0),
            Source::XenTime => self.by_xen.width().map(|width| (width + 1) / 2),
            Source::Frames => self.by_frames.width(),
            Source::Unknown => None,
        }
    }

    /// Whether what frames show allows for it.
    pub fn is_possible(&self) -> bool {
        let slack = self.uncertainty().unwrap_or(0);
        self.by_frames.hold(self.offset_ticks)
            || self.by_frames.hold(self.offset_ticks - slack)
            || self.by_frames.hold(self.offset_ticks + slack)
    }
}

/// Guests whose TSC is emulated count nanoseconds.
fn same_rate(dom0: &Recording, domu: &Recording) -> Result<()> {
    let (one, other) = (dom0.tsc_khz, domu.tsc_khz);
    // Kernels that calibrate on a busy machine differ by less than that.
    if one.abs_diff(other) > one.max(other) / 20 {
        bail!(
            "dom0's TSC has {one} kHz, the domU's {other}: start the domU with tsc_mode=\"native\""
        );
    }
    Ok(())
}

/// Each reading in the domU, beside what dom0's TSC was then.
fn by_xen(dom0: &Recording, domu: &Recording) -> Bounds {
    let mut bounds = Bounds::default();
    for there in &domu.times {
        let here = dom0.times.iter().min_by_key(|here| {
            // The nearest: the further, the more the rate is off.
            here.nanoseconds.abs_diff(there.nanoseconds)
        });
        let Some(here) = here else { continue };
        let passed = Ticks::from(there.nanoseconds) - Ticks::from(here.nanoseconds);
        let (least, most) = ticks(dom0, passed);
        bounds.add(
            Some(Ticks::from(there.after) - Ticks::from(here.before) - most),
            Some(Ticks::from(there.before) - Ticks::from(here.after) - least),
        );
    }
    match bounds.width() {
        // Readings that contradict one another bound nothing.
        Some(width) if width < 0 => Bounds {
            at_least_ticks: bounds.at_most_ticks,
            at_most_ticks: bounds.at_least_ticks,
        },
        _ => bounds,
    }
}

/// How many ticks pass in so many nanoseconds, at least and at most: by the first and the last
/// reading, if there are several, else by the kernel's word for its TSC, which is rounded.
fn ticks(recording: &Recording, nanoseconds: Ticks) -> (Ticks, Ticks) {
    let time = |time: &XenTime| time.nanoseconds;
    let first = recording.times.iter().min_by_key(|&reading| time(reading));
    let last = recording.times.iter().max_by_key(|&reading| time(reading));
    let (least, most, per) = match first.zip(last) {
        Some((first, last)) if last.nanoseconds - first.nanoseconds >= 1_000_000 => (
            Ticks::from(last.after) - Ticks::from(first.before),
            Ticks::from(last.before) - Ticks::from(first.after),
            Ticks::from(last.nanoseconds - first.nanoseconds),
        ),
        _ => {
            let khz = Ticks::from(recording.tsc_khz);
            (khz - 1, khz + 1, 1_000_000)
        }
    };
    let passed = [least, most].map(|ticks| nanoseconds.saturating_mul(ticks).div_euclid(per));
    (passed[0].min(passed[1]), passed[0].max(passed[1]) + 1)
}

/// Frames that came through dom0 to the domU.
fn by_frames(dom0: &Recording, domu: &Recording) -> Bounds {
    let mut bounds = Bounds::default();
    let last_of_dom0 = times(dom0, &[Stage::Netback, Stage::Copy]);
    let first_of_domu = times(domu, &[Stage::Deliver]);
    for (frame, there) in &first_of_domu {
        if let Some(here) = last_of_dom0.get(frame) {
            bounds.add(None, Some(there.0 - here.0));
        }
    }
    // Those that the domU sends are in dom0 after it began to hand them over.
    let first_of_dom0 = times(dom0, &[Stage::Bridge]);
    for (frame, there) in &times(domu, &[Stage::TxNetfront]) {
        if let Some(here) = first_of_dom0.get(frame) {
            bounds.add(Some(there.0 - here.0), None);
        }
    }
    // The ring is filled in the order of the copies.
    let mut copies: Vec<(Ticks, Ticks, u64)> = times(dom0, &[Stage::Copy])
        .into_iter()
        .map(|(frame, (entry, exit))| (entry, exit, frame))
        .collect();
    copies.sort_unstable();
    for (first, again) in copies.iter().zip(copies.iter().skip(RING)) {
        if let Some(delivered) = first_of_domu.get(&first.2) {
            bounds.add(Some(delivered.0 - again.1), None);
        }
    }
    bounds
}

/// Entry and exit of each frame at the last of these stages that it came to; frames whose number
/// came to one of them again say nothing.
fn times(recording: &Recording, stages: &[Stage]) -> BTreeMap<u64, (Ticks, Ticks)> {
    let mut times = BTreeMap::new();
    for stage in stages {
        let mut seen = BTreeMap::new();
        for mark in &recording.marks {
            let Some(frame) = mark.frame else { continue };
            if recording.stage(mark.place) == Some(*stage) && mark.entry <= mark.exit {
                let time = (Ticks::from(mark.entry), Ticks::from(mark.exit));
                seen.entry(frame).or_insert_with(Vec::new).push(time);
            }
        }
        for (frame, seen) in seen {
            match seen[..] {
                [once] => times.insert(frame, once),
                _ => times.remove(&frame),
            };
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings at these nanoseconds of a TSC of 2.5 GHz that is ahead by so many ticks.
    fn recording(role: Role, ahead: u64, nanoseconds: &[u64]) -> Recording {
        let reading = |&nanoseconds: &u64| {
            let tick = nanoseconds * 5 / 2 + ahead;
            XenTime {
                after: tick - 40,
                before: tick + 60,
                nanoseconds,
            }
        };
        Recording {
            role,
            tsc_khz: 2_500_000,
            sampling: 1,
            places: Vec::new(),
            marks: Vec::new(),
            dropped: 0,
            times: nanoseconds.iter().map(reading).collect(),
        }
    }

    #[test]
    fn xens_time_tells_the_offset_and_bounds_it() {
        let dom0 = recording(Role::Dom0, 1_000, &[5_000, 900_005_000]);
        let domu = recording(Role::DomUPvh, 701_000, &[77_000, 800_000_000]);
        let clock = Clock::of(&[dom0.clone(), domu]).unwrap();
        assert_eq!(clock.source, Source::XenTime);
        assert!(clock.by_xen.hold(700_000), "{clock:?}");
        assert!(clock.uncertainty().unwrap() <= 101, "{clock:?}");
        assert!((clock.offset_ticks - 700_000).abs() <= 101, "{clock:?}");

        let pv = recording(Role::DomUPv, 1_000, &[6_000]);
        let clock = Clock::of(&[dom0.clone(), pv]).unwrap();
        assert_eq!((clock.source, clock.offset_ticks), (Source::SameClock, 0));
        assert!(clock.by_xen.hold(0), "{clock:?}");

        let silent = recording(Role::DomUHvm, 0, &[]);
        let clock = Clock::of(&[dom0, silent]).unwrap();
        assert_eq!((clock.source, clock.uncertainty()), (Source::Unknown, None));
    }

    #[test]
    fn a_tsc_of_another_rate_is_refused() {
        let dom0 = recording(Role::Dom0, 1_000, &[]);
        let emulated = Recording {
            tsc_khz: 1_000_000,
            ..recording(Role::DomUPv, 0, &[])
        };
        let refused = Clock::of(&[dom0, emulated]).unwrap_err().to_string();
        assert!(refused.contains("tsc_mode"), "{refused}");
    }
}
