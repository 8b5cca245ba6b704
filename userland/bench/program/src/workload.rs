// SPDX-License-Identifier: GPL-2.0

//! What the paper's experiment calls: a function next to the system call, or one under many callers.

use crate::work::{batch, UMASK};
use anyhow::{ensure, Context, Result};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// The kernel's function that queues a datagram at its socket: sending one over loopback reaches it
/// through the whole way out and in, some 25 callers deep.
const DEEP: &str = "__udp_enqueue_schedule_skb";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// A call of `umask()`, as in the paper.
    #[default]
    Umask,
    /// A datagram to oneself.
    Datagram,
}

impl Workload {
    pub fn is_umask(&self) -> bool {
        *self == Self::Umask
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Umask => "umask",
            Self::Datagram => "datagram",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Umask => "umask()",
            Self::Datagram => "a datagram to oneself",
        }
    }

    /// The function that is probed.
    pub fn function(self) -> &'static str {
        match self {
            Self::Umask => UMASK,
            Self::Datagram => DEEP,
        }
    }

    /// Calls in a run, of which a hundred take a minute or two.
    pub fn calls(self) -> u32 {
        match self {
            Self::Umask => 1_000_000,
            Self::Datagram => 100_000,
        }
    }
}

/// A workload, ready to be called.
pub enum Calls {
    Umask,
    /// Connected to itself.
    Datagram(UdpSocket),
}

impl Calls {
    pub fn prepare(workload: Workload) -> Result<Self> {
        match workload {
            Workload::Umask => Ok(Self::Umask),
            Workload::Datagram => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
                    .and_then(|socket| {
                        socket.connect(socket.local_addr()?)?;
                        Ok(socket)
                    })
                    .context("cannot send to 127.0.0.1: ip link set lo up")?;
                // It arrives within the call that sends it.
                socket.set_nonblocking(true)?;
                Ok(Self::Datagram(socket))
            }
        }
    }

    /// Wall time of so many calls.
    pub fn timed(&self, calls: u32) -> Result<Duration> {
        let begin = Instant::now();
        match self {
            Self::Umask => batch(calls),
            Self::Datagram(socket) => {
                let mut byte = [0];
                for _ in 0..calls {
                    socket.send(&byte).context("cannot send to oneself")?;
                    let length = socket
                        .recv(&mut byte)
                        .context("what was sent to oneself didn't arrive")?;
                    ensure!(length == 1, "{length} bytes arrived of 1");
                }
            }
        }
        Ok(begin.elapsed())
    }
}
