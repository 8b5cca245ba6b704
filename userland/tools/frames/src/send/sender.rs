// SPDX-License-Identifier: GPL-2.0

//! The loop that sends.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use xcap_abi::mark::frame::{set_number, HEADER_SIZE};
use xcap_frames::PacketSocket;

use crate::pace::pause;

/// How far the sender is, for whoever reports while it works.
#[derive(Debug)]
pub struct Progress {
    pub start: Instant,
    pub sent: AtomicU64,
    /// Sends that the kernel had no room for, done again.
    pub retries: AtomicU64,
}

impl Progress {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            sent: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }
}

pub struct Sender<'a> {
    socket: &'a PacketSocket,
    frame: Vec<u8>,
    numbered: bool,
    progress: &'a Progress,
}

impl<'a> Sender<'a> {
    pub fn new(
        socket: &'a PacketSocket,
        frame: Vec<u8>,
        numbered: bool,
        progress: &'a Progress,
    ) -> Self {
        Self {
            socket,
            frame,
            numbered,
            progress,
        }
    }

    /// Sends the frame `count` times, `wait` apart.
    pub fn send(&mut self, count: u64, wait: Duration) -> Result<(), Errno> {
        for sent in 1..=count {
            if self.numbered {
                // No frame that can be asked for is too short.
                set_number(&mut self.frame[HEADER_SIZE..], sent - 1);
            }
            self.send_one()?;
            self.progress.sent.store(sent, Relaxed);
            if !wait.is_zero() && sent < count {
                pause(wait);
            }
        }
        Ok(())
    }

    fn send_one(&self) -> Result<(), Errno> {
        loop {
            match self.socket.send(&self.frame) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => (),
                Err(Errno::ENOBUFS | Errno::EAGAIN) => {
                    self.progress.retries.fetch_add(1, Relaxed);
                    yield_now();
                }
                Err(error) => return Err(error),
            }
        }
    }
}
