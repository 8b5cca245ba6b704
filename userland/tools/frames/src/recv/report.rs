// SPDX-License-Identifier: GPL-2.0

//! What was captured, and what the socket dropped.

use std::fmt::Write as _;
use std::io::{stdout, Write};
use std::process::exit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use xcap_frames::{Captured, Way, XdpHook};

use crate::counter::{counted, Counter};
use crate::ending::Ending;
use crate::spent::Meter;
use crate::tally::Progress;
use crate::watch::Limits;
use xcap_frames::cli::recv::Cli;

/// Ends the program with a report, whichever thread asks first.
pub struct Reporter {
    cli: Cli,
    hook: Option<XdpHook>,
    /// Bytes of all buffers.
    buffer: u64,
    counters: Vec<Counter>,
    progress: Progress,
    meter: Meter,
    /// Frames that a way left, where the kernel doesn't count what came.
    left: AtomicU64,
    ending: Mutex<()>,
}

impl Reporter {
    pub fn new(cli: Cli, hook: Option<XdpHook>, buffer: u64, counters: Vec<Counter>) -> Self {
        Self {
            hook,
            buffer,
            counters,
            progress: Progress::new(cli.threads(), cli.count, cli.taken_at),
            cli,
            meter: Meter::default(),
            left: AtomicU64::new(0),
            ending: Mutex::new(()),
        }
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    pub fn note_left(&self, frames: u64) {
        self.left.store(frames, Ordering::Relaxed);
    }

    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    pub fn limits(&self) -> Limits {
        Limits {
            silence: self.cli.silence,
            timeout: self.cli.timeout,
        }
    }

    pub fn end(&self, ending: Ending) -> ! {
        // Held until the process is gone: one report, never two.
        let _ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        let report = match self.report(&ending) {
            Ok(report) => report,
            Err(error) => {
                eprintln!("xcap-recv: {error}");
                exit(1)
            }
        };
        // A reader that went away has no use for the report.
        let _ = stdout().write_all(self.text(&report).as_bytes());
        match ending {
            Ending::Failure(error) => {
                eprintln!(
                    "xcap-recv: capturing on '{}' after {} frames: {error}",
                    report.interface, report.captured
                );
                exit(1)
            }
            Ending::Timeout if report.tp_packets == 0 => {
                eprintln!(
                    "xcap-recv: no frame came ({} on '{}'): check the sender's --destination, \
                     its interface and the cable",
                    self.cli.kind(),
                    report.interface
                );
                exit(1)
            }
            _ => exit(0),
        }
    }

    fn report(&self, ending: &Ending) -> Result<Captured, xcap_frames::Error> {
        // Frames first: what comes in between is unread, never captured but uncounted.
        let captured = self.progress.total();
        let counted = counted(&self.counters)?;
        let left = self.left.load(Ordering::Relaxed);
        let tp_packets = counted
            .came
            .unwrap_or(captured.frames + left + counted.drops);
        let calls = (self.cli.way != Way::Libpcap).then_some(captured.calls);
        Ok(Captured {
            interface: self.cli.interface.clone(),
            ethertype: self.cli.ethertype().map(|ethertype| ethertype.to_string()),
            captured: captured.frames,
            bytes: captured.bytes,
            way: self.cli.way,
            xdp: self.hook,
            tp_packets,
            tp_drops: counted.drops,
            unread: tp_packets
                .saturating_sub(counted.drops)
                .saturating_sub(captured.frames),
            buffer_bytes: self.buffer,
            spent: Some(self.meter.spent(calls)?),
            mean_taken_tsc: self.progress.mean_tsc(captured.frames),
            stopped_by: ending.kind(),
        })
    }

    fn text(&self, report: &Captured) -> String {
        if self.cli.json {
            // Plain strings and integers always serialise.
            return serde_json::to_string_pretty(report).unwrap_or_default() + "\n";
        }
        let mut text = format!(
            "captured {} frames, {} bytes ({} on {}), stopped by {}\n\
             socket: {} came, {} dropped, {} unread, buffer {} bytes\n",
            report.captured,
            report.bytes,
            self.cli.kind(),
            report.interface,
            report.stopped_by.word(),
            report.tp_packets,
            report.tp_drops,
            report.unread,
            report.buffer_bytes
        );
        if let Some(spent) = &report.spent {
            let calls = spent.calls.map(|calls| format!("{calls} system calls, "));
            let _ = writeln!(
                text,
                "{}: {}{} ns of CPU time, interrupts meanwhile included",
                report.way.word(),
                calls.unwrap_or_default(),
                spent.cpu_ns
            );
        }
        text
    }
}
