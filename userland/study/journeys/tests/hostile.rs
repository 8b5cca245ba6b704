// SPDX-License-Identifier: GPL-2.0

//! Whatever marks there are, no journey is wrong.

mod common;

use std::collections::BTreeSet;

use proptest::prelude::*;
use xcap_abi::mark::{padded, Header, Stream, MAGIC, NAME_SIZE, VERSION};
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;
use xcap_journeys::analysis::{Analysis, Counted};
use xcap_journeys::recording::{Mark, Recording};
use xcap_journeys::summary::Summary;
use xcap_journeys::{rows, told, trace};

fn any_mark() -> impl Strategy<Value = Mark> {
    // Few numbers, so that they meet, and now and then any.
    let time = || prop_oneof![8 => 0..400_u64, 1 => any::<u64>()];
    let frame = prop_oneof![4 => (0..6_u64).prop_map(Some), 1 => any::<u64>().prop_map(Some), 3 => Just(None)];
    let place = prop_oneof![9 => 0..Stage::ALL.len() + 1, 1 => any::<usize>()];
    (place, 0..3_u16, frame, time(), time(), any::<bool>()).prop_map(
        |(place, cpu, frame, entry, exit, switched)| Mark {
            place,
            cpu,
            frame,
            entry,
            exit,
            switched,
        },
    )
}

fn any_recording(role: Role) -> impl Strategy<Value = Recording> {
    let marks = prop::collection::vec(any_mark(), 0..120);
    (marks, 0..3_u64).prop_map(move |(marks, sampling)| Recording {
        role,
        tsc_khz: 1_000,
        sampling,
        places: Stage::ALL
            .iter()
            .map(|stage| stage.word().to_owned())
            .chain(["added".to_owned()])
            .collect(),
        marks,
        dropped: 0,
        times: Vec::new(),
    })
}

/// What holds of every analysis.
fn is_right(recordings: &[Recording], counted: Counted) {
    let Ok(analysis) = Analysis::new(recordings, counted) else {
        return;
    };
    for journey in &analysis.whole {
        assert_eq!(journey.service() + journey.wait(), journey.total());
        assert!(journey.segments.iter().all(|segment| segment.length() > 0));
        for two in journey.segments.windows(2) {
            assert_eq!(two[0].to, two[1].from);
        }
        let mut there = BTreeSet::new();
        for visit in &journey.visits {
            assert!(visit.entry <= visit.exit);
            assert!(there.insert(visit.place), "twice at {}", visit.place);
        }
        assert!(analysis.path.is_subset(&there));
        assert!(counted.sent.is_none_or(|sent| journey.frame < sent));
    }
    let summary = Summary::new(&analysis);
    assert_eq!(
        summary.service_ticks + summary.wait_ticks,
        summary.total_ticks
    );
    let explained: u64 = summary.incomplete.iter().map(|one| one.frames).sum();
    assert_eq!(summary.complete + explained, summary.captured);
    let mut rows = rows::Rows::new(Vec::new()).unwrap();
    rows.add("a run", &analysis).unwrap();
    trace::write(&analysis, recordings, Vec::new()).unwrap();
    told::line(&summary);
    told::clock(&summary);
    serde_json::to_string(&summary).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_marks_leave_no_wrong_journey(
        dom0 in any_recording(Role::Dom0),
        domu in any_recording(Role::DomUPv),
        sent in prop::option::of(0..20_u64),
        captured in prop::option::of(0..20_u64),
    ) {
        is_right(&[dom0, domu], Counted { sent, captured });
    }

    #[test]
    fn a_damaged_run_leaves_no_wrong_journey(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any_mark(), 0..5_u8), 1..20),
    ) {
        let mut recordings = common::run(40, 8, 0);
        for (index, other, kind) in damage {
            let recording = &mut recordings[usize::from(kind % 2)];
            let at = index.index(recording.marks.len());
            match kind {
                0 | 1 => drop(recording.marks.swap_remove(at)),
                2 => recording.marks[at].frame = other.frame,
                3 => recording.marks.push(other),
                _ => recording.marks[at].exit = other.exit,
            }
        }
        is_right(&recordings, Counted { sent: Some(40), captured: Some(40) });
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            header_size: (Header::SIZE + NAME_SIZE) as u32,
            mark_size: xcap_abi::mark::Mark::SIZE as u32,
            places: 1,
            role: padded(b"bare"),
            tsc_khz: 1,
            every: 0,
            cpus: 1,
            ring: 1,
        };
        let mut stream = header.to_bytes().to_vec();
        stream.extend(padded::<NAME_SIZE>(Stage::CopyUser.word().as_bytes()));
        stream.extend(&bytes);
        prop_assert!(Stream::parse(&stream).is_ok());
        let recording = Recording::parse(&stream).unwrap();
        prop_assert!(recording.marks.iter().all(|mark| mark.place == 0));
        is_right(&[recording], Counted::default());
        prop_assert!(Recording::parse(&bytes).is_err());
    }
}
