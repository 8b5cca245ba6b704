// SPDX-License-Identifier: GPL-2.0

//! xcap-recv at one end of a cable, the test at the other.

mod namespace;
mod receiver;

use std::process::Command;

use namespace::{in_namespace, ip, THERE};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use receiver::{capturing, command, report, send};
use serde_json::Value;

const X25: u16 = 0x0805;
const OTHER: u16 = 0x88b5;

#[test]
fn captures_every_frame_of_its_type_and_no_other() {
    in_namespace("captures_every_frame_of_its_type_and_no_other", || {
        let child = capturing(&["--count", "23"]);
        send(10, X25);
        send(10, OTHER);
        send(13, X25);
        let report = report(child);
        assert_eq!(report["captured"], 23);
        assert_eq!(report["bytes"], 23 * 64);
        assert_eq!(report["tp_packets"], 23);
        assert_eq!(report["tp_drops"], 0);
        assert_eq!(report["ethertype"], "0x0805");
        assert_eq!(report["stopped_by"], "count");
    });
}

#[test]
fn captures_all_types_on_request() {
    in_namespace("captures_all_types_on_request", || {
        let child = capturing(&["--all", "--count", "2"]);
        send(1, OTHER);
        send(1, X25);
        let report = report(child);
        assert_eq!(report["captured"], 2);
        assert_eq!(report["ethertype"], Value::Null);
    });
}

#[test]
fn silence_after_the_first_frame_ends_it() {
    in_namespace("silence_after_the_first_frame_ends_it", || {
        let child = capturing(&["--silence", "50"]);
        send(5, X25);
        let report = report(child);
        assert_eq!(report["captured"], 5);
        assert_eq!(report["stopped_by"], "silence");
    });
}

#[test]
fn signals_end_it_with_a_report() {
    in_namespace("signals_end_it_with_a_report", || {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let child = capturing(&["--silence", "60000"]);
            kill(Pid::from_raw(child.id() as i32), signal).unwrap();
            let report = report(child);
            assert_eq!(report["captured"], 0);
            assert_eq!(report["stopped_by"], "signal");
        }
    });
}

#[test]
fn nothing_within_the_timeout_is_an_error_that_says_so() {
    in_namespace(
        "nothing_within_the_timeout_is_an_error_that_says_so",
        || {
            let output = command(&["--timeout", "50"]).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(
                stderr.contains("no frame came (ethertype 0x0805 on 'there')"),
                "{stderr}"
            );
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(report["stopped_by"], "timeout");
        },
    );
}

#[test]
fn frames_that_find_no_room_are_counted_as_dropped() {
    in_namespace("frames_that_find_no_room_are_counted_as_dropped", || {
        let child = capturing(&["--silence", "50", "--buffer", "1"]);
        let pid = Pid::from_raw(child.id() as i32);
        kill(pid, Signal::SIGSTOP).unwrap();
        send(500, X25);
        kill(pid, Signal::SIGCONT).unwrap();
        let report = report(child);
        let figure = |name: &str| report[name].as_u64().unwrap();
        assert_eq!(figure("tp_packets"), 500);
        assert!(figure("tp_drops") > 0, "{report}");
        assert_eq!(figure("captured") + figure("tp_drops"), 500);
        assert_eq!(figure("unread"), 0);
    });
}

#[test]
fn interface_that_goes_down_is_named() {
    in_namespace("interface_that_goes_down_is_named", || {
        let child = capturing(&["--count", "1"]);
        ip(&["link", "set", THERE, "down"]);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains("capturing on 'there' after 0 frames"),
            "{stderr}"
        );

        let output = command(&["--count", "1"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            stderr,
            "xcap-recv: interface 'there' is down: ip link set there up\n"
        );
    });
}

#[test]
fn unknown_interface_is_named_with_those_there_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_xcap-recv"))
        .args(["-i", "moon0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("xcap-recv: no interface 'moon0', there are:"),
        "{stderr}"
    );
}

#[test]
fn wrong_usage_exits_with_two() {
    for arguments in [
        &[][..],
        &["-i", "lo", "--count", "0"],
        &["-i", "lo", "--silence", "0"],
        &["-i", "lo", "--ethertype", "0x05ff"],
        &["-i", "lo", "--ethertype", "0x0805", "--all"],
        &["-i", "lo", "--buffer", "0"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_xcap-recv"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
