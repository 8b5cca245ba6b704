// SPDX-License-Identifier: GPL-2.0

//! xcap-send at one end of a cable, the test at the other.

mod namespace;

use std::process::{Command, Output};

use namespace::{in_namespace, ip, HERE, THERE};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;
use xcap_abi::mark::frame;
use xcap_frames::{Interface, PacketSocket, X25};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xcap-send"));
    command.args(["--json", "-i", HERE]).args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A socket at the far end, and its address.
fn listener() -> (PacketSocket, String) {
    let interface = Interface::up(THERE).unwrap();
    let socket = PacketSocket::open().unwrap();
    socket.bind_to_receive(&interface, Some(X25)).unwrap();
    (socket, interface.address.to_string())
}

#[test]
fn frames_arrive_all_alike_and_as_many_as_asked_for() {
    in_namespace("frames_arrive_all_alike_and_as_many_as_asked_for", || {
        let here = Interface::up(HERE).unwrap();
        for size in [60, 64, 1500, 1514_usize] {
            let (socket, there) = listener();
            let text = size.to_string();
            let output = run(&[
                "-d", &there, "--count", "23", "--size", &text, "--wait", "1",
            ]);
            assert!(output.status.success(), "{output:?}");
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(
                (&report["sent"], &report["stopped_by"]),
                (&23.into(), &"count".into())
            );
            assert_eq!(report["bytes"], 23 * size);
            assert_eq!(report["source"], here.address.to_string().to_lowercase());

            let mut frames = vec![[0; 2048]; 23];
            for frame in &mut frames {
                assert_eq!(socket.receive(frame), Ok(size));
            }
            assert!(frames.iter().all(|frame| *frame == frames[0]));
            assert_eq!(
                frames[0][..6],
                *Interface::up(THERE).unwrap().address.as_bytes()
            );
            assert_eq!(frames[0][6..12], *here.address.as_bytes());
            assert_eq!(frames[0][12..14], [0x08, 0x05]);
            assert_eq!(socket.statistics().unwrap().packets, 23);
        }
    });
}

#[test]
fn numbered_frames_differ_in_their_numbers_alone() {
    in_namespace("numbered_frames_differ_in_their_numbers_alone", || {
        let (socket, there) = listener();
        let run_with = |option: &[&str]| {
            let output = run(&[&["-d", &there, "--count", "23", "--size", "60"], option].concat());
            assert!(output.status.success(), "{output:?}");
            let mut frames = vec![[0; 60]; 23];
            for frame in &mut frames {
                assert_eq!(socket.receive(frame), Ok(60));
            }
            frames
        };
        let plain = run_with(&[]);
        for (number, frame) in run_with(&["--numbered"]).iter().enumerate() {
            assert_eq!(frame::number(frame), Some(number as u64));
            assert_eq!(frame[..14], plain[0][..14]);
            assert_eq!(frame[26..], plain[0][26..]);
        }
        assert!(plain.iter().all(|frame| frame::number(frame).is_none()));

        let output = run(&["-d", &there, "--numbered", "--ethertype", "88b5"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    });
}

#[test]
fn pauses_are_no_shorter_than_asked_for() {
    in_namespace("pauses_are_no_shorter_than_asked_for", || {
        let (_socket, there) = listener();
        // One awake, one partly asleep.
        for wait in ["500", "4000"] {
            let output = run(&["-d", &there, "--count", "11", "--wait", wait]);
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let least = 10.0 * wait.parse::<f64>().unwrap() / 1e6;
            assert!(report["seconds"].as_f64().unwrap() >= least, "{report}");
        }
    });
}

#[test]
fn a_signal_ends_it_with_a_report_of_what_was_sent() {
    in_namespace("a_signal_ends_it_with_a_report_of_what_was_sent", || {
        let (socket, there) = listener();
        let child = command(&["-d", &there, "--wait", "1000000000"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Once the first frame is here, it waits before the second.
        socket.receive(&mut [0; 2048]).unwrap();
        kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with("xcap-send: stopped by a signal after "));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["stopped_by"], "signal");
        // The one that arrived may have been sent, but not yet counted.
        assert!(report["sent"].as_u64().unwrap() <= 1, "{report}");
    });
}

#[test]
fn interface_that_is_down_is_named() {
    in_namespace("interface_that_is_down_is_named", || {
        ip(&["link", "set", HERE, "down"]);
        let output = run(&["-d", "ff:ff:ff:ff:ff:ff"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "xcap-send: interface 'here' is down: ip link set here up\n"
        );
    });
}

#[test]
fn wrong_usage_exits_with_two() {
    for arguments in [
        &[][..],
        &["-d", "nobody"],
        &["-d", "ff:ff:ff:ff:ff:ff", "--size", "59"],
        &["-d", "ff:ff:ff:ff:ff:ff", "--size", "1515"],
        &["-d", "ff:ff:ff:ff:ff:ff", "--count", "0"],
        &["-d", "ff:ff:ff:ff:ff:ff", "--wait", "-1"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
