// SPDX-License-Identifier: GPL-2.0

//! What was captured, and what the socket dropped.

use std::io::{stdout, Write};
use std::process::exit;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use xcap_net::PacketSocket;

use crate::capture::Progress;
use crate::cli::Cli;
use crate::watch::Limits;

/// What ended the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Count,
    Silence,
    /// SIGINT or SIGTERM.
    Signal,
    Timeout,
    Failure(String),
}

impl Ending {
    fn word(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Silence => "silence",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Failure(_) => "failure",
        }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    interface: String,
    /// `null`: every ethertype.
    ethertype: Option<String>,
    captured: u64,
    bytes: u64,
    /// Frames that came to the socket (PACKET_STATISTICS): captured, dropped and unread.
    tp_packets: u32,
    /// Frames for which the socket's buffer had no room.
    tp_drops: u32,
    /// Frames left in the socket when the capture stopped.
    unread: u64,
    buffer_bytes: usize,
    stopped_by: &'static str,
}

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

    fn report(&self, ending: &Ending) -> Result<Report, xcap_net::Error> {
        // Frames first: what comes in between is unread, never captured but uncounted.
        let captured = self.progress.frames.load(Relaxed);
        let bytes = self.progress.bytes.load(Relaxed);
        let counted = self.socket.statistics()?;
        let came =
            u64::from(counted.packets) - u64::from(counted.drops).min(counted.packets.into());
        Ok(Report {
            interface: self.cli.interface.clone(),
            ethertype: self.cli.ethertype().map(|ethertype| ethertype.to_string()),
            captured,
            bytes,
            tp_packets: counted.packets,
            tp_drops: counted.drops,
            unread: came.saturating_sub(captured),
            buffer_bytes: self.buffer,
            stopped_by: ending.word(),
        })
    }

    fn text(&self, report: &Report) -> String {
        if self.cli.json {
            // Plain strings and integers always serialise.
            return serde_json::to_string_pretty(report).unwrap_or_default()
                + "
";
        }
        format!(
            "captured {} frames, {} bytes ({} on {}), stopped by {}
\
             socket: {} came, {} dropped, {} unread, buffer {} bytes
",
            report.captured,
            report.bytes,
            self.cli.kind(),
            report.interface,
            report.stopped_by,
            report.tp_packets,
            report.tp_drops,
            report.unread,
            report.buffer_bytes
        )
    }
}
