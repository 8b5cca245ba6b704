// SPDX-License-Identifier: GPL-2.0

//! PACKET_MMAP, version 2: a ring of frames.

use std::mem::offset_of;
use std::sync::Arc;

use nix::errno::Errno;
use xcap_frames::{Error, PacketSocket, Ring};

use crate::source::Source;
use crate::tally::Taken;
use crate::ways::ring::{Blocks, Mapped, FRAME};

const STATUS: usize = offset_of!(libc::tpacket2_hdr, tp_status);

pub struct TpacketV2 {
    ring: Mapped,
    frames: usize,
    next: usize,
}

impl TpacketV2 {
    pub fn new(socket: Arc<PacketSocket>, blocks: Blocks) -> Result<Self, Error> {
        let frames = blocks.size / FRAME * blocks.count;
        let ring = libc::tpacket_req {
            tp_block_size: blocks.size,
            tp_block_nr: blocks.count,
            tp_frame_size: FRAME,
            tp_frame_nr: frames,
        };
        Ok(Self {
            ring: Mapped::new(socket, Ring::Frames(ring), blocks.bytes())?,
            frames: frames as usize,
            next: 0,
        })
    }
}

impl Source for TpacketV2 {
    #[inline]
    fn take(&mut self, room: u64) -> Result<Taken, Errno> {
        let mut taken = Taken::default();
        // Once around at most, so that progress is seen under a flood.
        for _ in 0..room.min(self.frames as u64) {
            let frame = self.next * FRAME as usize;
            if !self.ring.is_ours(frame + STATUS) {
                break;
            }
            // SAFETY: The frame is ours, and begins with its header, which is integers.
            let header: libc::tpacket2_hdr = unsafe { self.ring.read(frame) };
            taken.frames += 1;
            taken.bytes += u64::from(header.tp_len);
            self.ring.release(frame + STATUS);
            self.next = (self.next + 1) % self.frames;
        }
        if taken.frames == 0 {
            self.ring.wait()?;
            taken.calls = 1;
        }
        Ok(taken)
    }
}
