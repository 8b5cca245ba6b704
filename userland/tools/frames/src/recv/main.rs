// SPDX-License-Identifier: GPL-2.0

//! Captures raw Ethernet frames and does nothing with them.

mod counter;
mod ending;
mod open;
mod report;
mod source;
mod spent;
mod tally;
mod watch;
mod ways;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use xcap_frames::{arguments, Captured, Error, Interface, Signals, READY};

use crate::ending::Ending;
use crate::open::open;
use crate::report::Reporter;
use crate::source::Source;
use crate::watch::watch;
use xcap_frames::cli::recv::Cli;

fn main() -> ExitCode {
    match run(arguments::<Cli, Captured>().checked()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-recv: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    let interface = Interface::up(&cli.interface)?;
    let signals = Signals::take()?;
    let mut opened = open(&cli, &interface)?;
    eprintln!(
        "{READY}: capturing {} on {}, buffer {} bytes",
        cli.kind(),
        interface.name,
        opened.bytes
    );

    let others = std::mem::take(&mut opened.others);
    let reporter = Arc::new(Reporter::new(
        cli,
        opened.hook,
        opened.bytes,
        opened.counters,
    ));
    let on_watch = Arc::clone(&reporter);
    thread::spawn(move || {
        let ending = watch(&signals, on_watch.limits(), on_watch.progress());
        on_watch.end(ending)
    });
    for (number, mut source) in (1..).zip(others) {
        let reporter = Arc::clone(&reporter);
        thread::spawn(move || capture(&mut source, number, &reporter));
    }
    capture(opened.source.as_mut(), 0, &reporter)
}

/// Captures as thread number `thread`, and ends the program when all is captured.
fn capture(source: &mut dyn Source, thread: usize, reporter: &Reporter) -> ! {
    let captured = match reporter.meter().begin() {
        Ok(()) => source.capture(thread, reporter.progress()),
        Err(error) => reporter.end(Ending::Failure(error.to_string())),
    };
    match captured {
        Ok(()) => {
            reporter.note_left(source.left());
            reporter.end(Ending::Count)
        }
        Err(error) => reporter.end(Ending::Failure(error.to_string())),
    }
}
