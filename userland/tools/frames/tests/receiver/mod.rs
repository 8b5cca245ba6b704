// SPDX-License-Identifier: GPL-2.0

//! xcap-recv as a test runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use xcap_frames::{Interface, PacketSocket};

use crate::namespace::{HERE, THERE};

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xcap-recv"));
    command
        .args(["--json", "-i", THERE])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts xcap-recv and waits until it says that it captures.
pub fn capturing(arguments: &[&str]) -> Child {
    // Frames that never come must fail the test, not hang it.
    let patient = ["--timeout", "20000"];
    let mut child = command(arguments).args(patient).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("ready: ") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no ready line");
    }
    child.stderr = Some(stderr.into_inner());
    child
}

/// Its report, once it has ended well.
pub fn report(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Sends frames of this type to the end that captures.
pub fn send(count: usize, ethertype: u16) {
    let (socket, frame) = (sender(HERE), frame(THERE, ethertype));
    for _ in 0..count {
        assert_eq!(socket.send(&frame), Ok(frame.len()));
    }
}

/// A socket at one end, to send from.
fn sender(end: &str) -> PacketSocket {
    let socket = PacketSocket::open().unwrap();
    socket.bind_to_send(&Interface::up(end).unwrap()).unwrap();
    socket
}

/// A frame of 64 bytes for `end`, of type `ethertype`.
fn frame(end: &str, ethertype: u16) -> Vec<u8> {
    let destination = Interface::up(end).unwrap().address;
    let mut frame = destination.as_bytes().to_vec();
    frame.extend([2, 0, 0, 0, 0, 1]);
    frame.extend(ethertype.to_be_bytes());
    frame.resize(64, 0xa5);
    frame
}
