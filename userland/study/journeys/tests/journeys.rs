// SPDX-License-Identifier: GPL-2.0

//! Journeys of runs whose every tick is known.

mod common;

use common::*;
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;
use xcap_journeys::analysis::{Analysis, Counted, Reason};
use xcap_journeys::look::Look;
use xcap_journeys::socket::Socket;
use xcap_journeys::summary::Summary;
use xcap_journeys::timeline::{Ticks, What};
use xcap_journeys::unit::Unit;
use xcap_journeys::{rows, told};

fn counted(frames: u64) -> Counted {
    Counted {
        sent: Some(frames),
        captured: Some(frames),
    }
}

/// A place of the analysis.
fn place(analysis: &Analysis, domain: &str, stage: Stage) -> usize {
    let mut places = analysis.places.iter();
    let found = places.find(|(_, place)| place.domain == domain && place.stage == Some(stage));
    found.expect("there is such a place").0
}

/// What a frame spent, by what.
fn spent(analysis: &Analysis, frame: usize, what: What) -> Ticks {
    let segments = &analysis.whole[frame].segments;
    let parts = segments.iter().filter(|segment| segment.what == what);
    parts.map(|segment| segment.length()).sum()
}

#[test]
fn each_frame_is_followed_through_both_domains() {
    let frames = 23;
    let analysis = Analysis::new(&run(frames, 4, 0), counted(frames)).unwrap();
    assert_eq!(
        analysis.whole.len() as u64,
        frames,
        "{:?}",
        analysis.reasons()
    );
    assert!(analysis.lost.is_empty());
    let at = |domain, stage| place(&analysis, domain, stage);
    let served = |frame, domain, stage| spent(&analysis, frame, What::Service(at(domain, stage)));
    // The third of its burst.
    let frame = 6;
    for (domain, stage, ticks) in [
        ("dom0", Stage::NicPoll, DRIVER),
        ("dom0", Stage::Bridge, BRIDGE - NETBACK),
        ("dom0", Stage::Netback, NETBACK),
        ("dom0", Stage::Copy, COPY),
        ("dom0", Stage::GrantCopy, GRANT_COPY),
        ("dom0", Stage::Notify, 15),
        ("domU", Stage::NicPoll, DRIVER),
        ("domU", Stage::Deliver, DELIVER),
        ("domU", Stage::Recvmsg, CALL + 5),
        ("domU", Stage::CopyUser, COPY_USER),
    ] {
        let served = served(frame, domain, stage);
        assert_eq!(served, Ticks::from(ticks), "{domain} {}", stage.word());
    }
    let waited = |frame, domain, stage| spent(&analysis, frame, What::Before(at(domain, stage)));
    // In the poll, two frames had their turn before.
    let turn = |each: u64| Ticks::from(2 * each);
    assert_eq!(waited(frame, "dom0", Stage::NicPoll), turn(DRIVER + BRIDGE));
    // The poll's end, the thread's beginning, and what was polled and copied of others.
    assert_eq!(
        waited(frame, "dom0", Stage::Copy),
        Ticks::from(DRIVER + BRIDGE + 10 + 300) + turn(COPY + 5)
    );
    assert_eq!(
        waited(frame, "domU", Stage::NicPoll),
        200 + turn(DRIVER + DELIVER)
    );
    // The first of a burst was awaited by a call that slept; it served from the copy on.
    let first = 4;
    assert_eq!(served(first, "domU", Stage::Recvmsg), 5);
    assert_eq!(
        waited(first, "domU", Stage::Recvmsg) + waited(first, "domU", Stage::CopyUser),
        Ticks::from(3 * (DRIVER + DELIVER) + 90 + CALL)
    );
}

/// As NAPI does when a poll used up its budget while its list of frames was not full.
#[test]
fn what_a_poll_left_to_its_softirq_was_polled_by_it() {
    let mut bare = Domain::new(
        Role::Bare,
        &[Stage::Softirq, Stage::NicPoll, Stage::Deliver],
    );
    bare.mark(Stage::Deliver, Some(0), 130, 150);
    bare.mark(Stage::Deliver, Some(1), 150, 170);
    bare.mark(Stage::NicPoll, None, 110, 200);
    bare.mark(Stage::Deliver, Some(2), 210, 230);
    bare.mark(Stage::Deliver, Some(3), 235, 255);
    bare.mark(Stage::Softirq, None, 100, 300);
    let analysis = Analysis::new(&[bare.0], counted(4)).unwrap();
    assert_eq!(analysis.whole.len(), 4, "{:?}", analysis.reasons());
    let poll = place(&analysis, "bare", Stage::NicPoll);
    let deliver = place(&analysis, "bare", Stage::Deliver);
    let told = |frame: usize| {
        let segments = analysis.whole[frame].segments.iter();
        segments
            .map(|segment| (segment.what, segment.length()))
            .collect::<Vec<_>>()
    };
    use What::{Before, Service};
    assert_eq!(told(1), [(Before(poll), 40), (Service(deliver), 20)]);
    assert_eq!(
        told(2),
        [
            (Before(poll), 60),
            (Service(poll), 30),
            (Before(deliver), 10),
            (Service(deliver), 20)
        ]
    );
    assert_eq!(
        told(3),
        [
            (Before(poll), 90),
            (Before(deliver), 35),
            (Service(deliver), 20)
        ]
    );
}

#[test]
fn services_and_waits_are_the_whole_time_exactly() {
    let frames = 1009;
    let analysis = Analysis::new(&run(frames, 64, 0), counted(frames)).unwrap();
    for journey in &analysis.whole {
        assert_eq!(journey.service() + journey.wait(), journey.total());
        let gaps = journey
            .segments
            .windows(2)
            .filter(|two| two[0].to != two[1].from);
        assert_eq!(gaps.count(), 0);
    }
    let summary = Summary::new(&analysis);
    assert_eq!((summary.captured, summary.complete), (frames, frames));
    assert_eq!(
        summary.service_ticks + summary.wait_ticks,
        summary.total_ticks
    );
    let by_place: Ticks = summary
        .places
        .iter()
        .flat_map(|place| [&place.service, &place.wait_before, &place.wait_within])
        .flatten()
        .map(|distribution| distribution.sum)
        .sum();
    assert_eq!(by_place, summary.total_ticks);
    let mut table = Vec::new();
    let mut written = rows::Rows::new(&mut table).unwrap();
    written.add("a run", &analysis).unwrap();
    drop(written);
    let table = String::from_utf8(table).unwrap();
    let ticks = table.lines().skip(1).map(|row| {
        let ticks = row.rsplit(',').next().unwrap();
        ticks.parse::<Ticks>().unwrap()
    });
    assert_eq!(ticks.sum::<Ticks>(), summary.total_ticks);
    let line = told::line(&summary);
    assert!(line.starts_with("a frame took "), "{line}");
    assert!(
        line.contains(" served, ") && line.contains(" waiting, "),
        "{line}"
    );
    assert!(
        line.contains(" µs ") && !line.contains("instructions"),
        "{line}"
    );
    // An instruction clock has no seconds.
    let line = told::line(&Summary::new(&analysis.in_unit(Unit::Instructions)));
    assert!(
        line.contains(" instructions (median)") && !line.contains("µs"),
        "{line}"
    );
}

#[test]
fn the_kernel_s_count_of_a_socket_is_held_against_the_marks() {
    let frames = 1009;
    let recordings = run(frames, 64, 0);
    let domu = &recordings[1];
    let until = |stage, moment: u64| {
        let marks = domu.marks.iter();
        let there = marks.filter(|mark| domu.stage(mark.place) == Some(stage));
        there.filter(|mark| mark.exit <= moment).count() as u64
    };
    let look = |moment: u64| Look {
        after: moment,
        before: moment + 1,
        bytes: 768 * (until(Stage::Deliver, moment) - until(Stage::Recvmsg, moment)),
    };
    let moments = domu.marks.iter().map(|mark| mark.exit).step_by(7);
    let mut looks: Vec<Look> = moments.map(look).collect();
    let socket = |looks: &[Look]| {
        let analysis = Analysis::new(&recordings, counted(frames)).unwrap();
        Socket::of(&analysis.with_looks(looks.to_vec()))
    };
    assert_eq!(socket(&[]), None);
    let told = socket(&looks).unwrap();
    assert_eq!((told.agreeing, told.frame_bytes), (told.looks, 768));
    // A frame's copy is over a moment before its call is.
    assert!(told.longest <= 64 && told.longest > 50, "{told:?}");
    let (least, most) = told.marked_mean_length;
    assert!(
        least <= told.mean_length && told.mean_length <= most,
        "{told:?}"
    );
    // So do counts that are all of even numbers of frames.
    let even: Vec<Look> = looks
        .iter()
        .copied()
        .filter(|look| look.bytes % (2 * 768) == 0)
        .collect();
    let told = socket(&even).unwrap();
    assert_eq!((told.agreeing, told.frame_bytes), (told.looks, 768));
    looks[100].bytes += 2 * 768;
    let told = socket(&looks).unwrap();
    assert_eq!(told.agreeing, told.looks - 1);
}

#[test]
fn littles_law_holds_of_every_queue() {
    let frames = 1009;
    let analysis = Analysis::new(&run(frames, 64, 0), counted(frames)).unwrap();
    let summary = Summary::new(&analysis);
    assert!(summary.queues.len() >= 5, "{:?}", summary.queues);
    for queue in &summary.queues {
        let little = queue.little.as_ref().unwrap();
        let off = (little.mean_length - little.expected_length).abs();
        assert!(off <= little.mean_length * 1e-9, "{queue:?}");
        assert!(queue.longest <= 64, "{queue:?}");
    }
    // A program that says it got half as many makes the law fail.
    let half = Counted {
        captured: Some(frames * 2),
        ..counted(frames)
    };
    let analysis = Analysis::new(&run(frames, 64, 0), half).unwrap();
    let little = Summary::new(&analysis).queues[0].little.clone().unwrap();
    assert!(
        little.expected_length > little.mean_length * 1.9,
        "{little:?}"
    );
}

#[test]
fn frames_that_were_lost_are_placed_where_they_were_seen_last() {
    let frames = 100;
    let mut recordings = run(frames, 10, 0);
    let without =
        |recording: &mut xcap_journeys::recording::Recording, stage: Stage, frame: u64| {
            let place = recording
                .places
                .iter()
                .position(|name| name == stage.word());
            recording
                .marks
                .retain(|mark| Some(mark.place) != place || mark.frame != Some(frame));
        };
    // Dropped by the socket.
    without(&mut recordings[1], Stage::CopyUser, 17);
    // Dropped before netback's queue.
    for stage in [Stage::Netback, Stage::Copy] {
        without(&mut recordings[0], stage, 31);
    }
    for stage in [Stage::Deliver, Stage::CopyUser] {
        without(&mut recordings[1], stage, 31);
    }
    // One more was sent, and never came.
    let counted = Counted {
        sent: Some(frames + 1),
        captured: Some(frames - 2),
    };
    let analysis = Analysis::new(&recordings, counted).unwrap();
    let lost: Vec<_> = analysis
        .lost
        .iter()
        .map(|&(frame, place)| {
            (
                frame,
                place.map(|place| analysis.places.get(place).to_string()),
            )
        })
        .collect();
    let seen = |stage: Stage, domain| Some(format!("{} in {domain}", stage.word()));
    assert_eq!(
        lost,
        [
            (17, seen(Stage::Deliver, "domU")),
            (31, seen(Stage::Bridge, "dom0")),
            (100, None)
        ]
    );
    assert_eq!(analysis.whole.len() as u64, frames - 2);
    assert_eq!(analysis.captured(), frames - 2);
}

#[test]
fn captured_frames_without_a_whole_journey_are_explained() {
    let frames = 50;
    let mut recordings = run(frames, 5, 0);
    let place = |stage: Stage| {
        let mut names = recordings[0].places.iter();
        names.position(|name| name == stage.word()).unwrap()
    };
    let (copy, bridge) = (place(Stage::Copy), place(Stage::Bridge));
    let dom0 = &mut recordings[0];
    dom0.marks
        .retain(|mark| mark.place != copy || mark.frame != Some(7));
    let again = *dom0
        .marks
        .iter()
        .find(|mark| mark.place == bridge && mark.frame == Some(9))
        .unwrap();
    dom0.marks.push(again);
    for mark in &mut dom0.marks {
        if mark.place == copy && mark.frame == Some(11) {
            (mark.entry, mark.exit) = (mark.exit, mark.entry);
        }
    }
    let counted = Counted {
        sent: Some(frames - 1),
        captured: Some(frames + 3),
    };
    let analysis = Analysis::new(&recordings, counted).unwrap();
    let reasons: Vec<(Reason, u64)> = analysis.reasons().into_iter().collect();
    let missing = analysis.places.number(0, copy).unwrap();
    let repeated = analysis.places.number(0, bridge).unwrap();
    assert_eq!(
        reasons,
        [
            (Reason::Missing(missing), 1),
            (Reason::Repeated(repeated), 1),
            (Reason::Impossible(missing), 1),
            (Reason::NeverSent, 1),
            (Reason::NoMark, 3),
        ]
    );
    let summary = Summary::new(&analysis);
    let explained: u64 = summary.incomplete.iter().map(|one| one.frames).sum();
    assert_eq!(summary.complete + explained, summary.captured);
}

#[test]
fn a_guest_whose_clock_is_ahead_is_brought_to_dom0s_time() {
    use xcap_abi::mark::XenTime;
    use xcap_abi::role::Role;
    let (frames, ahead) = (23, 7_000_000_000);
    let mut recordings = run(frames, 4, ahead);
    recordings[1].role = Role::DomUPvh;
    let same = Analysis::new(&run(frames, 4, 0), counted(frames)).unwrap();
    for (recording, ahead) in recordings.iter_mut().zip([0, ahead]) {
        recording.times = [2_000, 90_000_000]
            .map(|nanoseconds| XenTime {
                after: ahead + nanoseconds,
                before: ahead + nanoseconds,
                nanoseconds,
            })
            .into();
    }
    let analysis = Analysis::new(&recordings, counted(frames)).unwrap();
    assert!(
        analysis.clock.by_frames.hold(ahead.into()),
        "{:?}",
        analysis.clock
    );
    let totals = |analysis: &Analysis| -> Vec<Ticks> {
        analysis
            .whole
            .iter()
            .map(|journey| journey.total())
            .collect()
    };
    for (one, other) in totals(&analysis).iter().zip(totals(&same)) {
        assert!((one - other).abs() <= 2, "{one} {other}");
    }
    assert_eq!(analysis.whole.len() as u64, frames);
    // Without Xen's time, the fastest frame bounds it, and the tool says that it knows no better.
    recordings
        .iter_mut()
        .for_each(|recording| recording.times.clear());
    let analysis = Analysis::new(&recordings, counted(frames)).unwrap();
    let off = analysis.clock.offset_ticks - xcap_journeys::timeline::Ticks::from(ahead);
    assert!((0..2_000).contains(&off), "{:?}", analysis.clock);
    let said = told::clock(&Summary::new(&analysis)).unwrap();
    assert!(said.contains("at most"), "{said}");
    assert!(said.contains("can't be told"), "{said}");
}

#[test]
fn a_frame_that_is_sent_is_followed_from_the_domu_to_the_card() {
    let frames = 23;
    for burst in [1, 4] {
        let analysis = Analysis::new(&sent(frames, burst), counted(frames)).unwrap();
        assert_eq!(
            analysis.whole.len() as u64,
            frames,
            "{:?}",
            analysis.reasons()
        );
        let frame = 7;
        for (domain, stage, ticks) in [
            ("domU", Stage::TxSend, 40),
            ("domU", Stage::TxQueue, 20),
            ("domU", Stage::TxNetfront, 40),
            ("dom0", Stage::TxNetback, DRIVER),
            ("dom0", Stage::Bridge, 40),
            ("dom0", Stage::TxQueue, 40),
            ("dom0", Stage::TxCard, 20),
        ] {
            let place = place(&analysis, domain, stage);
            assert_eq!(
                spent(&analysis, frame, What::Service(place)),
                Ticks::from(ticks),
                "{stage:?} in {domain}, bursts of {burst}"
            );
        }
        // The last of its burst of four was sent when netback came to it after three others.
        let netback = place(&analysis, "dom0", Stage::TxNetback);
        let others = Ticks::from((burst - 1) * (DRIVER + BRIDGE));
        assert_eq!(spent(&analysis, frame, What::Before(netback)), 510 + others);
        let summary = Summary::new(&analysis);
        assert_eq!(
            summary.service_ticks + summary.wait_ticks,
            summary.total_ticks
        );
    }
}
