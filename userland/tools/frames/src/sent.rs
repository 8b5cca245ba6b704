// SPDX-License-Identifier: GPL-2.0

//! What xcap-send says at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What ended the sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SentUntil {
    /// All were sent.
    Count,
    /// SIGINT or SIGTERM.
    Signal,
    Failure,
}

/// What `xcap-send --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    pub interface: String,
    /// MAC addresses.
    pub source: String,
    pub destination: String,
    pub ethertype: String,
    /// Bytes of a frame, without its checksum.
    pub size: u16,
    pub wait_us: f64,
    /// Frames that were to be sent.
    pub count: u64,
    pub sent: u64,
    pub bytes: u64,
    /// How often the queue had no room.
    pub retries: u64,
    pub seconds: f64,
    /// The rate that was reached.
    pub frames_per_second: f64,
    pub bits_per_second: f64,
    pub stopped_by: SentUntil,
    /// Whether each frame said its number.
    #[serde(default)]
    pub numbered: bool,
}
