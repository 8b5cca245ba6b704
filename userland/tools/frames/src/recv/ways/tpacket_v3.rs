// SPDX-License-Identifier: GPL-2.0

//! PACKET_MMAP, version 3: a ring of blocks, each with as many frames as it holds.

use std::mem::offset_of;
use std::sync::Arc;

use nix::errno::Errno;
use xcap_frames::{Error, PacketSocket, Ring};

use crate::source::Source;
use crate::tally::Taken;
use crate::ways::ring::{Blocks, Mapped, FRAME};

/// When a block is handed over that is not full, ms.
const RETIRE_MS: u32 = 10;

const HEADER: usize = offset_of!(libc::tpacket_block_desc, hdr);
const STATUS: usize = HEADER + offset_of!(libc::tpacket_hdr_v1, block_status);

pub struct TpacketV3 {
    ring: Mapped,
    blocks: Blocks,
    block: u32,
    /// Frames of this block that were not taken yet, if it is ours.
    left: u32,
    /// Where the first of them is.
    frame: usize,
}

impl TpacketV3 {
    pub fn new(socket: Arc<PacketSocket>, blocks: Blocks) -> Result<Self, Error> {
        let ring = libc::tpacket_req3 {
            tp_block_size: blocks.size,
            tp_block_nr: blocks.count,
            tp_frame_size: FRAME,
            tp_frame_nr: blocks.size / FRAME * blocks.count,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        Ok(Self {
            ring: Mapped::new(socket, Ring::Blocks(ring), blocks.bytes())?,
            blocks,
            block: 0,
            left: 0,
            frame: 0,
        })
    }

    fn begin(&self) -> usize {
        self.block as usize * self.blocks.size as usize
    }

    /// Begins a block. False: none is there.
    fn open(&mut self) -> bool {
        let begin = self.begin();
        if !self.ring.is_ours(begin + STATUS) {
            return false;
        }
        // SAFETY: The block is ours, and begins with its header, which is integers.
        let header: libc::tpacket_hdr_v1 = unsafe { self.ring.read(begin + HEADER) };
        self.left = header.num_pkts;
        self.frame = begin + header.offset_to_first_pkt as usize;
        true
    }

    fn close(&mut self) {
        self.ring.release(self.begin() + STATUS);
        self.block = (self.block + 1) % self.blocks.count;
    }
}

impl Source for TpacketV3 {
    #[inline]
    fn take(&mut self, room: u64) -> Result<Taken, Errno> {
        if self.left == 0 && !self.open() {
            self.ring.wait()?;
            return Ok(Taken {
                calls: 1,
                ..Taken::default()
            });
        }
        let mut taken = Taken::default();
        while self.left > 0 && taken.frames < room {
            // SAFETY: The block is ours, and `frame` is where it says that its next frame's header
            // is, which is integers.
            let header: libc::tpacket3_hdr = unsafe { self.ring.read(self.frame) };
            taken.frames += 1;
            taken.bytes += u64::from(header.tp_len);
            self.frame += header.tp_next_offset as usize;
            self.left -= 1;
        }
        if self.left == 0 {
            self.close();
        }
        Ok(taken)
    }
}
