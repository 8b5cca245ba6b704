// SPDX-License-Identifier: GPL-2.0

//! Each way of capturing at one end of a cable, the test at the other.

mod namespace;
mod receiver;

use namespace::{in_namespace, is_privileged};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use receiver::{capturing, command, report, send};

const X25: u16 = 0x0805;
const OTHER: u16 = 0x88b5;

/// Those that need no driver of their kind, and libpcap where it is linked.
const WAYS: &[&str] = &[
    "recvfrom",
    "recvmmsg",
    "tpacket-v2",
    "tpacket-v3",
    "fanout",
    "af-xdp",
    #[cfg(feature = "libpcap")]
    "libpcap",
];

/// Those that can be had here.
fn ways() -> impl Iterator<Item = &'static str> {
    let privileged = is_privileged();
    WAYS.iter()
        .copied()
        .filter(move |&way| privileged || way != "af-xdp")
}

/// Longer than a block of TPACKET_V3 waits for more.
const SILENCE: &str = "100";

#[test]
fn every_way_captures_every_frame_of_its_type_and_no_other() {
    in_namespace(
        "every_way_captures_every_frame_of_its_type_and_no_other",
        || {
            for way in ways() {
                let child = capturing(&["--way", way, "--silence", SILENCE]);
                send(211, X25);
                send(10, OTHER);
                send(212, X25);
                let report = report(child);
                assert_eq!(report["captured"], 423, "{report}");
                assert_eq!(report["bytes"], 423 * 64, "{report}");
                assert_eq!(report["tp_packets"], 423, "{report}");
                assert_eq!(report["tp_drops"], 0, "{report}");
                assert_eq!(report["way"], way);
                assert_eq!(report["xdp"].is_string(), way == "af-xdp", "{report}");
                let spent = &report["spent"];
                let threads = if way == "fanout" { 2 } else { 1 };
                assert_eq!(spent["threads"], threads, "{report}");
                assert!(spent["cpu_ns"].as_u64().unwrap() > 0, "{report}");
            }
        },
    );
}

#[test]
fn every_way_stops_at_the_count_and_leaves_the_rest() {
    in_namespace("every_way_stops_at_the_count_and_leaves_the_rest", || {
        // Not with several threads: they may have taken more by then.
        for way in ways().filter(|&way| way != "fanout") {
            let child = capturing(&["--way", way, "--count", "23"]);
            let pid = Pid::from_raw(child.id() as i32);
            kill(pid, Signal::SIGSTOP).unwrap();
            send(31, X25);
            kill(pid, Signal::SIGCONT).unwrap();
            let report = report(child);
            assert_eq!(report["captured"], 23, "{report}");
            assert_eq!(report["tp_packets"], 31, "{report}");
            assert_eq!(report["unread"], 8, "{report}");
            assert_eq!(report["stopped_by"], "count", "{report}");
        }
    });
}

#[test]
fn every_way_counts_the_frames_that_find_no_room() {
    in_namespace("every_way_counts_the_frames_that_find_no_room", || {
        for way in ways() {
            let child = capturing(&["--way", way, "--silence", SILENCE, "--buffer", "16384"]);
            let pid = Pid::from_raw(child.id() as i32);
            kill(pid, Signal::SIGSTOP).unwrap();
            send(500, X25);
            kill(pid, Signal::SIGCONT).unwrap();
            let report = report(child);
            let figure = |name: &str| report[name].as_u64().unwrap();
            assert!(figure("tp_drops") > 0, "{report}");
            assert!(figure("captured") > 0, "{report}");
            assert_eq!(figure("tp_packets"), 500, "{report}");
            assert_eq!(figure("captured") + figure("tp_drops"), 500, "{report}");
            assert_eq!(figure("unread"), 0, "{report}");
        }
    });
}

#[test]
fn fanout_gives_each_thread_its_share() {
    in_namespace("fanout_gives_each_thread_its_share", || {
        let threads = ["--way", "fanout", "--threads", "3"];
        let child = capturing(&[&threads[..], &["--silence", SILENCE]].concat());
        send(100, X25);
        let report = report(child);
        assert_eq!(report["captured"], 100, "{report}");
        assert_eq!(report["spent"]["threads"], 3, "{report}");
        assert_eq!(report["spent"]["calls"], 100, "{report}");
    });
}

#[test]
fn one_system_call_brings_many_frames_but_with_recvfrom() {
    in_namespace(
        "one_system_call_brings_many_frames_but_with_recvfrom",
        || {
            for way in ways() {
                let child = capturing(&["--way", way, "--silence", SILENCE]);
                let pid = Pid::from_raw(child.id() as i32);
                kill(pid, Signal::SIGSTOP).unwrap();
                send(128, X25);
                kill(pid, Signal::SIGCONT).unwrap();
                let report = report(child);
                let calls = report["spent"]["calls"].as_u64().unwrap();
                let by_frame = ["recvfrom", "fanout"].contains(&way);
                assert_eq!(calls >= 128, by_frame, "{report}");
            }
        },
    );
}

#[test]
fn a_way_that_cannot_be_had_says_what_to_do() {
    in_namespace("a_way_that_cannot_be_had_says_what_to_do", || {
        if !is_privileged() {
            return;
        }
        let output = command(&["--way", "af-xdp-zerocopy"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("--way af-xdp"), "{said}");
    });
}

#[test]
fn when_frames_were_taken_is_told() {
    in_namespace("when_frames_were_taken_is_told", || {
        // SAFETY: Every x86-64 processor has the instruction, and Linux lets user mode use it.
        let now = || unsafe { core::arch::x86_64::_rdtsc() };
        for way in ways() {
            let child = capturing(&["--way", way, "--silence", SILENCE, "--taken-at"]);
            let before = now();
            send(23, X25);
            let report = report(child);
            let taken = report["mean_taken_tsc"].as_u64().unwrap();
            assert!((before..now()).contains(&taken), "{report}");
        }
    });
}

#[test]
fn threads_are_for_fanout_alone() {
    let output = command(&["--threads", "2"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--threads is for --way fanout, not recvfrom"),
        "{said}"
    );
}
