// SPDX-License-Identifier: GPL-2.0

//! What was sent, and how fast.

use std::io::{stdout, Write};
use std::process::exit;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use xcap_frames::{Interface, Sent, SentUntil};

use crate::sender::Progress;
use xcap_frames::cli::send::Cli;

/// What ended the sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All were sent.
    Count,
    /// SIGINT or SIGTERM.
    Signal,
    Failure(Errno),
}

/// Ends the program with a report, whichever thread asks first.
pub struct Reporter {
    cli: Cli,
    interface: Interface,
    progress: Arc<Progress>,
    ending: Mutex<()>,
}

impl Reporter {
    pub fn new(cli: Cli, interface: Interface, progress: Arc<Progress>) -> Self {
        Self {
            cli,
            interface,
            progress,
            ending: Mutex::new(()),
        }
    }

    pub fn count(&self) -> u64 {
        self.cli.count
    }

    pub fn wait(&self) -> Duration {
        Duration::from_secs_f64(self.cli.wait / 1e6)
    }

    pub fn end(&self, ending: Ending) -> ! {
        let seconds = self.progress.start.elapsed().as_secs_f64();
        // Held until the process is gone: one report, never two.
        let _ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        let report = self.report(ending, seconds);
        // A reader that went away has no use for the report.
        let _ = stdout().write_all(self.text(&report).as_bytes());
        let (sent, interface) = (report.sent, &report.interface);
        match ending {
            Ending::Count => exit(0),
            Ending::Signal => eprintln!("xcap-send: stopped by a signal after {sent} frames"),
            Ending::Failure(error) => {
                eprintln!("xcap-send: sending on '{interface}' after {sent} frames: {error}");
            }
        }
        exit(1)
    }

    fn report(&self, ending: Ending, seconds: f64) -> Sent {
        let sent = self.progress.sent.load(Relaxed);
        let bytes = sent * u64::from(self.cli.size);
        let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        Sent {
            interface: self.interface.name.clone(),
            source: self.interface.address.to_string().to_lowercase(),
            destination: self.cli.destination.to_string().to_lowercase(),
            ethertype: self.cli.ethertype.to_string(),
            size: self.cli.size,
            wait_us: self.cli.wait,
            count: self.cli.count,
            sent,
            bytes,
            retries: self.progress.retries.load(Relaxed),
            seconds,
            frames_per_second: per_second(sent as f64),
            bits_per_second: per_second(bytes as f64 * 8.0),
            stopped_by: match ending {
                Ending::Count => SentUntil::Count,
                Ending::Signal => SentUntil::Signal,
                Ending::Failure(_) => SentUntil::Failure,
            },
            numbered: self.cli.numbered,
        }
    }

    fn text(&self, report: &Sent) -> String {
        if self.cli.json {
            // Plain strings and finite numbers always serialise.
            return serde_json::to_string_pretty(report).unwrap_or_default() + "\n";
        }
        format!(
            "sent {} of {} frames of {} bytes ({}) from {} to {}\n\
             in {:.6} s: {:.0} frames/s, {:.3} Mbit/s, {} retries\n",
            report.sent,
            report.count,
            report.size,
            report.ethertype,
            report.interface,
            report.destination,
            report.seconds,
            report.frames_per_second,
            report.bits_per_second / 1e6,
            report.retries
        )
    }
}
