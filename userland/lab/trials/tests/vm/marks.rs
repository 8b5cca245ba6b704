// SPDX-License-Identifier: GPL-2.0

//! Marks: each numbered frame is seen at each place it comes through, in order, and nothing else is.

use crate::labs::{thorough_if, On, World};
use crate::world::{
    capture_numbered, control, fresh, fresh_all, in_receivers, receivers, report, stage, Moment,
    Stages,
};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use xcap_abi::mark::{Mark, Stream, NO_PLACE};
use xcap_abi::paths::MARKS;
use xcap_machines::{Guest, Lab, Place};

/// A prime: no batch size divides it.
const FRAMES: u32 = 23;

/// Long enough for each frame to be handled before the next comes.
const GAP_US: u32 = 20_000;

/// A prime beyond what a small ring holds.
const FLOOD: u32 = 997;

/// The places of frames, each before the next on a frame's way.
const IN_DOM0: [&str; 3] = ["bridge", "netback", "copy"];
const AT_CAPTURE: [&str; 2] = ["deliver", "copy_user"];

/// Places that several frames share.
const SHARED: [&str; 4] = ["nic_irq", "softirq", "nic_poll", "recvmsg"];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe", "fprobe"] {
        let name = |place| format!("numbered_frames_leave_marks_in_order_{place}_{backend}");
        let under_xen = world.trial(name("xen"), On::Xen, move |lab| in_order(lab, backend));
        let bare = world.trial(name("bare"), On::Bare, move |lab| in_order(lab, backend));
        trials.push(thorough_if(backend != "auto", under_xen));
        trials.push(thorough_if(backend == "auto", bare));
    }
    trials.push(world.trial("marks_that_find_no_room_are_counted", On::Bare, no_room));
    trials.push(world.trial(
        "frames_that_are_not_numbered_leave_no_marks",
        On::Unplugged,
        |lab| hostile(lab.guest(Place::Bare)),
    ));
    trials.push(world.trial(
        "xcap_goes_with_marks_on_and_stays_while_they_are_read",
        On::Unplugged,
        |lab| goes(lab.guest(Place::Bare)),
    ));
    trials
}

/// A stream's marks by place, those that say what was lost last.
struct Read {
    role: String,
    every: u64,
    by_place: BTreeMap<String, Vec<Mark>>,
    times: usize,
    /// By CPU.
    lost: BTreeMap<u16, u32>,
}

impl Read {
    /// All that waits to be read.
    fn from(guest: &Guest) -> Result<Self> {
        let bytes = guest.read_file(MARKS)?;
        let stream = Stream::parse(&bytes)?;
        ensure!(
            stream.remainder() == 0,
            "{} bytes too many",
            stream.remainder()
        );
        let mut read = Self {
            role: stream.role().to_owned(),
            every: stream.header.every,
            by_place: BTreeMap::new(),
            times: 0,
            lost: BTreeMap::new(),
        };
        for mark in stream.marks() {
            if mark.time().is_some() {
                read.times += 1;
                continue;
            }
            let lost = read.lost.insert(mark.cpu, mark.lost);
            ensure!(
                lost.is_none_or(|lost| lost <= mark.lost),
                "losses fall: {mark:?}"
            );
            if mark.place == NO_PLACE {
                continue;
            }
            let place = stream.place(mark.place).context("a place without a name")?;
            ensure!(
                mark.exit >= mark.entry,
                "{place}: ends before it begins: {mark:?}"
            );
            read.by_place
                .entry(place.to_owned())
                .or_default()
                .push(mark);
        }
        Ok(read)
    }

    fn at(&self, place: &str) -> &[Mark] {
        self.by_place.get(place).map_or(&[], Vec::as_slice)
    }

    /// Marks of a place, in the order of their entries.
    fn sorted(&self, place: &str) -> Vec<Mark> {
        let mut marks = self.at(place).to_vec();
        marks.sort_by_key(|mark| mark.entry);
        marks
    }

    fn numbers(&self, place: &str) -> Vec<Option<u64>> {
        self.sorted(place).iter().map(Mark::number).collect()
    }

    fn count(&self) -> u64 {
        self.by_place.values().map(|marks| marks.len() as u64).sum()
    }

    fn lost(&self) -> u64 {
        self.lost.values().map(|&lost| u64::from(lost)).sum()
    }
}

fn in_order(lab: &Lab, backend: &str) -> Result<()> {
    fresh_all(lab, backend)?;
    in_receivers(lab, |guest| control(guest, "marks on"))?;
    capture_numbered(lab, FRAMES, GAP_US, |_, _| Ok(()))?;
    let mut way: Vec<Vec<Mark>> = Vec::new();
    for (place, guest) in lab.guests().filter(|(place, _)| *place != Place::Sender) {
        let read = Read::from(guest)?;
        let places: &[&str] = if place == Place::Dom0 {
            &IN_DOM0
        } else {
            &AT_CAPTURE
        };
        for name in places {
            let all: Vec<_> = (0..FRAMES.into()).map(Some).collect();
            let numbers = read.numbers(name);
            ensure!(numbers == all, "{place}: {name} has marks of {numbers:?}");
            way.push(read.sorted(name));
        }
        ensure!(read.lost() == 0, "{place}: {} lost", read.lost());
        ensure!(
            read.every == 1 && read.role == report(guest)?.role,
            "{}",
            read.role
        );
        // Under Xen all domains share a time, elsewhere there is none.
        ensure!(
            (read.times > 0) == (place != Place::Bare),
            "{place}: {} times",
            read.times
        );
        let polled: u32 = read.at("nic_poll").iter().map(|mark| mark.count).sum();
        ensure!(
            u64::from(polled) >= u64::from(FRAMES),
            "{place}: {polled} frames polled"
        );
        ensure!(guest.read_file(MARKS)?.len() < 4096, "{place}: read twice");
    }
    // One clock, as PV domains with native TSCs have: a frame is at one place after the other.
    for (before, after) in way.iter().zip(&way[1..]) {
        for (before, after) in before.iter().zip(after) {
            ensure!(before.entry < after.entry, "{after:?} is before {before:?}");
        }
    }
    in_receivers(lab, |guest| {
        control(guest, "'marks on 1024 1/8'")?;
        control(guest, "start")
    })?;
    capture_numbered(lab, FRAMES, GAP_US, |_, _| Ok(()))?;
    for guest in receivers(lab) {
        let read = Read::from(guest)?;
        let place = if read.role == "dom0" {
            "bridge"
        } else {
            "deliver"
        };
        let numbers = read.numbers(place);
        let chosen = [Some(0), Some(8), Some(16)];
        ensure!(numbers == chosen, "{place}: 1/8 of all is {numbers:?}");
        control(guest, "'marks off'")?;
    }
    Ok(())
}

fn no_room(lab: &Lab) -> Result<()> {
    fresh_all(lab, "auto")?;
    let anew = "cd /sys/kernel/debug/xcap; for word in stop 'marks on 64' reset start; do echo $word >control; done";
    capture_numbered(lab, FLOOD, 0, |guest, moment| match moment {
        // Empty rings, from the moment on that counts begin.
        Moment::AfterReset => guest.sh(anew).map(drop),
        _ => Ok(()),
    })?;
    let guest = lab.guest(Place::Bare);
    let report = report(guest)?;
    let mut calls = 0;
    for name in SHARED.iter().chain(&AT_CAPTURE) {
        calls += stage(&report, name)?.count;
    }
    let read = Read::from(guest)?;
    ensure!(
        read.lost() > 0 && read.count() + read.lost() == calls,
        "{} marks and {} lost of {calls} calls",
        read.count(),
        read.lost()
    );
    ensure!(Read::from(guest)?.count() == 0, "read twice");
    Ok(())
}

/// What frame is on the wire, as printf has it; and the number it has.
const FRAMES_OF_ALL_KINDS: [(&str, Option<u64>); 9] = [
    (r"\10\5xcap\0\0\0\0\0\0\0\7", Some(7)),
    // Repeated.
    (r"\10\5xcap\0\0\0\0\0\0\0\7", Some(7)),
    (r"\10\5xcap\377\377\377\377\377\377\377\377", Some(u64::MAX)),
    // Cut short.
    (r"\10\5xcap\0\0\0\0\0\0\0", None),
    (r"\10\5xca", None),
    (r"\10\5", None),
    // Of another kind, or with another beginning.
    (r"\10\6xcap\0\0\0\0\0\0\0\7", None),
    (r"\10\5xcaP\0\0\0\0\0\0\0\7", None),
    (r"\5\10xcap\0\0\0\0\0\0\0\7", None),
];

/// Frames on the loopback, which come as short as they are sent.
fn hostile(guest: &Guest) -> Result<()> {
    guest.sh("ip link set lo up")?;
    for backend in ["direct", "kretprobe", "fprobe"] {
        fresh(guest, Stages::These("deliver,copy_user"))?;
        control(guest, &format!("backend={backend}"))?;
        // A function that xcap doesn't know has its frame in an argument, too.
        control(guest, "'add loopback_xmit'")?;
        control(guest, "'marks on'")?;
        let mut capturer = guest.spawn(&["xcap-recv", "-i", "lo"])?;
        capturer.wait_for_line(xcap_frames::READY, crate::world::PATIENCE)?;
        let mut script = String::from("set -e\n");
        for (bytes, _) in FRAMES_OF_ALL_KINDS {
            script += &format!(
                r"printf '\0\0\0\0\0\0\0\0\0\0\0\0{bytes}' >/tmp/frame
xcap-send -i lo -d 00:00:00:00:00:00 --count 1 --frame /tmp/frame
"
            );
        }
        guest.sh(&script)?;
        capturer.signal(15)?;
        capturer.wait(crate::world::PATIENCE)?;
        let read = Read::from(guest)?;
        let numbered: Vec<_> = FRAMES_OF_ALL_KINDS
            .iter()
            .map(|(_, number)| *number)
            .filter(Option::is_some)
            .collect();
        for place in ["loopback_xmit", "deliver", "copy_user"] {
            let numbers = read.numbers(place);
            ensure!(
                numbers == numbered,
                "{backend}: {place} has marks of {numbers:?}"
            );
        }
        control(guest, "'del loopback_xmit'")?;
    }
    Ok(())
}

fn goes(guest: &Guest) -> Result<()> {
    guest.sh("ip link set lo up")?;
    for backend in ["auto", "kretprobe", "fprobe"] {
        fresh(guest, Stages::These("softirq,any_softirq"))?;
        control(guest, &format!("backend={backend}"))?;
        // Refused, with nothing changed; then nothing was ever left.
        guest.sh(&format!(
            "for bad in marks 'marks up' 'marks on 65' 'marks on 32' 'marks on 1/0' 'marks on 1/3' 'marks on 64 64 x' 'marks off 64'; do \
             ! echo $bad >/sys/kernel/debug/xcap/control || exit 1; done 2>/dev/null; ! cat {MARKS} 2>/dev/null"
        ))?;
        control(guest, "'marks on 64 1/1'")?;
        // A reader that reads a byte and stalls; one at a time; and xcap stays.
        let stalled = format!(
            "exec 3<{MARKS}; head -c 1 <&3 >/dev/null; ! cat {MARKS} 2>/dev/null; \
             xcap-send -i lo -d 00:00:00:00:00:00 --numbered --count {FLOOD} >/dev/null; ! rmmod xcap 2>/dev/null; \
             echo marks on 128 >/sys/kernel/debug/xcap/control; cat <&3 | tail -c +2 | wc -c; exec 3<&-; \
             xcap-send -i lo -d 00:00:00:00:00:00 --numbered --count {FLOOD} >/dev/null; \
             xcap-read marks | grep -c '^# lost'; rmmod xcap"
        );
        let said = guest.sh(&stalled)?;
        let said: Vec<u64> = said.lines().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(said[0] > 64 && said[1] > 0, "{backend}: {said:?}");
        ensure!(
            !guest.sh("cat /proc/modules")?.contains("xcap "),
            "still loaded"
        );
    }
    Ok(())
}
