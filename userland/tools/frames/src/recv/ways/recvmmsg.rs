// SPDX-License-Identifier: GPL-2.0

//! Many frames a system call.

use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::null_mut;
use std::sync::Arc;

use nix::errno::Errno;
use xcap_frames::PacketSocket;

use crate::source::Source;
use crate::tally::Taken;
use crate::ways::LONGEST;

/// Frames a call, at most.
const BATCH: usize = 64;

pub struct Recvmmsg {
    socket: Arc<PacketSocket>,
    headers: Vec<libc::mmsghdr>,
    /// What the headers point to; never touched otherwise.
    _pieces: Vec<libc::iovec>,
    _frames: Vec<u8>,
}

impl Recvmmsg {
    pub fn new(socket: Arc<PacketSocket>) -> Self {
        let mut frames = vec![0; LONGEST * BATCH];
        let mut pieces: Vec<libc::iovec> = frames
            .chunks_exact_mut(LONGEST)
            .map(|frame| libc::iovec {
                iov_base: frame.as_mut_ptr().cast(),
                iov_len: LONGEST,
            })
            .collect();
        let headers = pieces
            .iter_mut()
            .map(|piece| {
                // SAFETY: Of zeroes is a header that names nothing.
                let mut header: libc::mmsghdr = unsafe { zeroed() };
                header.msg_hdr.msg_name = null_mut();
                header.msg_hdr.msg_iov = piece;
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();
        Self {
            socket,
            headers,
            _pieces: pieces,
            _frames: frames,
        }
    }
}

impl Source for Recvmmsg {
    #[inline]
    fn take(&mut self, room: u64) -> Result<Taken, Errno> {
        let batch = room.min(BATCH as u64) as u32;
        // SAFETY: `batch` headers are there, and each names a piece and a frame of its own, which live
        // as long as `self` and which nothing else uses.
        let taken = unsafe {
            libc::recvmmsg(
                self.socket.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                batch,
                // Waits for the first alone.
                libc::MSG_WAITFORONE,
                null_mut(),
            )
        };
        let frames = Errno::result(taken)? as usize;
        let lengths = self.headers[..frames].iter().map(|header| header.msg_len);
        Ok(Taken {
            frames: frames as u64,
            bytes: lengths.map(u64::from).sum(),
            calls: 1,
        })
    }
}
