// SPDX-License-Identifier: GPL-2.0

//! The messages between `xcap-lab` and a guest's agent.

use serde::{Deserialize, Serialize};

/// Payload bytes a message carries at most: a line of text that every console and ring on the way takes whole.
pub const CHUNK: usize = 1024;

/// Stdin chunks that may be under way for one job before the agent has accepted the first.
pub const WINDOW: usize = 16;

/// From the host to the guest.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub enum Request {
    /// Answered by [`Event::Ready`].
    Hello,
    Spawn {
        job: u32,
        command: Vec<String>,
        terminal: Option<Terminal>,
    },
    /// No bytes mean the end of the input.
    Stdin {
        job: u32,
        data: Vec<u8>,
    },
    /// To the whole process group of the job.
    Signal {
        job: u32,
        signal: i32,
    },
    Resize {
        job: u32,
        rows: u16,
        columns: u16,
    },
}

/// From the guest to the host.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub enum Event {
    Ready,
    Output {
        job: u32,
        stream: Stream,
        data: Vec<u8>,
    },
    /// One [`Request::Stdin`] was handed to the job.
    Accepted {
        job: u32,
    },
    Ended {
        job: u32,
        status: Status,
    },
    /// A line of the guest's kernel log.
    Kernel {
        line: String,
    },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Terminal {
    pub name: String,
    pub rows: u16,
    pub columns: u16,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub enum Status {
    Exited(i32),
    Killed(i32),
    NotStarted(String),
}
