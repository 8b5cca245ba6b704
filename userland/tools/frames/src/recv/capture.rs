// SPDX-License-Identifier: GPL-2.0

//! The loop that captures.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use nix::errno::Errno;
use xcap_frames::PacketSocket;

/// More than any frame, also one that the NIC put together from several.
const LONGEST: usize = 1 << 17;

/// What was captured so far; written by the capturing thread alone.
#[derive(Debug, Default)]
pub struct Progress {
    pub frames: AtomicU64,
    pub bytes: AtomicU64,
}

/// Captures until `count` frames came, for ever if there is none.
pub fn capture(
    socket: &PacketSocket,
    count: Option<u64>,
    progress: &Progress,
) -> Result<(), Errno> {
    let mut frame = vec![0; LONGEST];
    let (mut frames, mut bytes) = (0, 0);
    while count != Some(frames) {
        match socket.receive(&mut frame) {
            Ok(length) => {
                frames += 1;
                bytes += length as u64;
                // Plain stores: an atomic addition would lock the bus for each frame.
                progress.frames.store(frames, Relaxed);
                progress.bytes.store(bytes, Relaxed);
            }
            Err(Errno::EINTR) => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
