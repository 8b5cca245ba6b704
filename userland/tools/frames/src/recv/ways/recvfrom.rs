// SPDX-License-Identifier: GPL-2.0

//! One recvfrom() a frame.

use std::sync::Arc;

use nix::errno::Errno;
use xcap_frames::PacketSocket;

use crate::source::Source;
use crate::tally::Taken;
use crate::ways::LONGEST;

pub struct Recvfrom {
    socket: Arc<PacketSocket>,
    frame: Vec<u8>,
}

impl Recvfrom {
    pub fn new(socket: Arc<PacketSocket>) -> Self {
        Self {
            socket,
            frame: vec![0; LONGEST],
        }
    }
}

impl Source for Recvfrom {
    #[inline]
    fn take(&mut self, _room: u64) -> Result<Taken, Errno> {
        let length = self.socket.receive(&mut self.frame)?;
        Ok(Taken {
            frames: 1,
            bytes: length as u64,
            calls: 1,
        })
    }
}
