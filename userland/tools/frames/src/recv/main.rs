// SPDX-License-Identifier: GPL-2.0

//! Captures raw Ethernet frames and does nothing with them.

mod capture;
mod ending;
mod report;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use xcap_frames::{arguments, Captured, Error, Interface, PacketSocket, Signals, READY};

use crate::capture::{capture, Progress};
use crate::ending::Ending;
use crate::report::Reporter;
use crate::watch::watch;
use xcap_frames::cli::recv::Cli;

fn main() -> ExitCode {
    let cli = arguments::<Cli, Captured>();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-recv: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    let interface = Interface::up(&cli.interface)?;
    let socket = PacketSocket::open()?;
    if let Some(bytes) = cli.buffer() {
        let buffer = socket.set_buffer(bytes)?;
        if buffer.is_cut {
            eprintln!(
                "xcap-recv: the buffer is {} bytes, more needs root or a greater net.core.rmem_max",
                buffer.bytes
            );
        }
    }
    let buffer = socket.buffer()?;
    let signals = Signals::take()?;
    socket.bind_to_receive(&interface, cli.ethertype())?;
    eprintln!(
        "{READY}: capturing {} on {}, buffer {buffer} bytes",
        cli.kind(),
        interface.name
    );

    let count = cli.count;
    let progress = Arc::new(Progress::default());
    let reporter = Arc::new(Reporter::new(cli, socket, buffer, Arc::clone(&progress)));
    let on_watch = Arc::clone(&reporter);
    thread::spawn(move || {
        let ending = watch(&signals, on_watch.limits(), on_watch.progress());
        on_watch.end(ending)
    });
    match capture(reporter.socket(), count, &progress) {
        Ok(()) => reporter.end(Ending::Count),
        Err(error) => reporter.end(Ending::Failure(error.to_string())),
    }
}
