// SPDX-License-Identifier: GPL-2.0

//! Sends one raw Ethernet frame again and again.

mod frame;
mod pace;
mod report;
mod sender;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use xcap_frames::{arguments, Error, Interface, PacketSocket, Sent, Signals};

use crate::report::{Ending, Reporter};
use crate::sender::{Progress, Sender};
use xcap_frames::cli::send::{Cli, CARRIER_PATIENCE};

fn main() -> ExitCode {
    let cli = arguments::<Cli, Sent>();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-send: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut cli: Cli) -> Result<(), Error> {
    let interface = Interface::up(&cli.interface)?;
    let socket = PacketSocket::open()?;
    interface.await_carrier(CARRIER_PATIENCE)?;
    socket.bind_to_send(&interface)?;
    let frame = frame::build(&cli, &interface)?;
    cli.size = frame.len().try_into().unwrap_or(u16::MAX);
    let numbered = cli.numbered;

    let signals = Signals::take()?;
    let progress = Arc::new(Progress::start());
    let reporter = Arc::new(Reporter::new(cli, interface, Arc::clone(&progress)));
    let on_signal = Arc::clone(&reporter);
    thread::spawn(move || {
        // A failing wait leaves the program as if nobody had signalled.
        if let Ok(true) = signals.came_within(None) {
            on_signal.end(Ending::Signal);
        }
    });
    let mut sender = Sender::new(&socket, frame, numbered, &progress);
    let sent = sender.send(reporter.count(), reporter.wait());
    match sent {
        Ok(()) => reporter.end(Ending::Count),
        Err(source) => reporter.end(Ending::Failure(source)),
    }
}
