// SPDX-License-Identifier: GPL-2.0

//! What was captured, and what the socket dropped.

use std::io::{stdout, Write};
use std::process::exit;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use xcap_frames::{Captured, PacketSocket};

use crate::capture::Progress;
use crate::ending::Ending;
use crate::watch::Limits;
use xcap_frames::cli::recv::Cli;

/// Ends the program with a report, whichever thread asks first.
pub struct Reporter {
    cli: Cli,
    socket: PacketSocket,
    buffer: usize,
    progress: Arc<Progress>,
    ending: Mutex<()>,
}

impl Reporter {
    pub fn new(cli: Cli, socket: PacketSocket, buffer: usize, progress: Arc<Progress>) -> Self {
        Self {
            cli,
            socket,
            buffer,
            progress,
            ending: Mutex::new(()),
        }
    }

    pub fn socket(&self) -> &PacketSocket {
        &self.socket
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
        let captured = self.progress.frames.load(Relaxed);
        let bytes = self.progress.bytes.load(Relaxed);
        let counted = self.socket.statistics()?;
        let came =
            u64::from(counted.packets) - u64::from(counted.drops).min(counted.packets.into());
        Ok(Captured {
            interface: self.cli.interface.clone(),
            ethertype: self.cli.ethertype().map(|ethertype| ethertype.to_string()),
            captured,
            bytes,
            tp_packets: counted.packets.into(),
            tp_drops: counted.drops.into(),
            unread: came.saturating_sub(captured),
            buffer_bytes: self.buffer as u64,
            stopped_by: ending.kind(),
        })
    }

    fn text(&self, report: &Captured) -> String {
        if self.cli.json {
            // Plain strings and integers always serialise.
            return serde_json::to_string_pretty(report).unwrap_or_default() + "\n";
        }
        format!(
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
        )
    }
}
