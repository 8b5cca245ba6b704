// SPDX-License-Identifier: GPL-2.0

//! What xcap-recv says: that it is ready, and at its end what it captured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the line begins that xcap-recv prints on stderr when frames are being captured.
pub const READY: &str = "ready";

/// What ended the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CapturedUntil {
    Count,
    Silence,
    /// SIGINT or SIGTERM.
    Signal,
    Timeout,
    Failure,
}

impl CapturedUntil {
    /// Its word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Silence => "silence",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Failure => "failure",
        }
    }
}

/// What `xcap-recv --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    pub interface: String,
    /// `null`: every ethertype.
    pub ethertype: Option<String>,
    pub captured: u64,
    pub bytes: u64,
    /// Frames that came to the socket (PACKET_STATISTICS): captured, dropped and unread.
    pub tp_packets: u64,
    /// Frames for which the socket's buffer had no room.
    pub tp_drops: u64,
    /// Frames left in the socket when the capture stopped.
    pub unread: u64,
    pub buffer_bytes: u64,
    pub stopped_by: CapturedUntil,
}
