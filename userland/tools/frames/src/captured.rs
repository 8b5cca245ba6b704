// SPDX-License-Identifier: GPL-2.0

//! What xcap-recv says: that it is ready, and at its end what it captured.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the line begins that xcap-recv prints on stderr when frames are being captured.
pub const READY: &str = "ready";

/// How a program gets frames from the kernel.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// One recvfrom() a frame, the paper's
    #[default]
    Recvfrom,
    /// recvmmsg(): up to 64 frames a system call
    Recvmmsg,
    /// PACKET_MMAP, a ring of frames
    TpacketV2,
    /// PACKET_MMAP, a ring of blocks that hold many frames
    TpacketV3,
    /// recvfrom() by several threads (--threads), frames dealt out in turn
    Fanout,
    /// XDP socket; the kernel copies. The stack doesn't see the frames
    AfXdp,
    /// XDP socket that the card writes to, where its driver can
    AfXdpZerocopy,
    /// libpcap, as tcpdump uses it
    Libpcap,
}

impl Way {
    /// Its word, as in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recvfrom => "recvfrom",
            Self::Recvmmsg => "recvmmsg",
            Self::TpacketV2 => "tpacket-v2",
            Self::TpacketV3 => "tpacket-v3",
            Self::Fanout => "fanout",
            Self::AfXdp => "af-xdp",
            Self::AfXdpZerocopy => "af-xdp-zerocopy",
            Self::Libpcap => "libpcap",
        }
    }

    /// Whether it was built in: libpcap is where it was asked for.
    pub fn is_built(self) -> bool {
        self != Self::Libpcap || cfg!(feature = "libpcap")
    }
}

/// Where an XDP program takes frames from their path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum XdpHook {
    /// In the card's driver.
    Native,
    /// In the kernel's stack, once there is a socket buffer: the driver knows no XDP.
    Generic,
}

/// What the capturing threads spent from when they began to capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    pub threads: u32,
    /// System calls that got frames, or waited for them; `null`: libpcap's, which it doesn't tell.
    pub calls: Option<u64>,
    /// CPU time as the scheduler counts it, user and kernel: interrupts and softirqs that came
    /// meanwhile are in it (unless the kernel has CONFIG_IRQ_TIME_ACCOUNTING).
    pub cpu_ns: u64,
    /// Instructions in user mode, by the processor's counters; `null`: it offers none here.
    pub user_instructions: Option<u64>,
    /// Cycles in user mode, likewise.
    pub user_cycles: Option<u64>,
}

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
    /// Missing where an earlier xcap-recv captured, which had one way.
    #[serde(default)]
    pub way: Way,
    /// AF_XDP's; `null` with other ways.
    #[serde(default)]
    pub xdp: Option<XdpHook>,
    /// Frames that came to the socket (PACKET_STATISTICS): captured, dropped and unread.
    pub tp_packets: u64,
    /// Frames for which the socket's buffer, or ring, had no room.
    pub tp_drops: u64,
    /// Frames left in the socket when the capture stopped.
    pub unread: u64,
    /// Of all sockets and rings.
    pub buffer_bytes: u64,
    /// `null`: an earlier xcap-recv captured.
    #[serde(default)]
    pub spent: Option<Spent>,
    /// Mean of the TSC when frames were taken from the kernel; missing without --taken-at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_taken_tsc: Option<u64>,
    pub stopped_by: CapturedUntil,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_have_one_word_everywhere() {
        for way in Way::value_variants() {
            let named = way.to_possible_value().expect("no way is hidden");
            assert_eq!(named.get_name(), way.word());
            assert_eq!(serde_json::to_value(way).unwrap(), way.word());
        }
    }
}
