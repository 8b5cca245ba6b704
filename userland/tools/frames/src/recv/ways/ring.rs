// SPDX-License-Identifier: GPL-2.0

//! A packet socket's ring, in memory shared with the kernel.

use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::mman::{mmap, MapFlags, ProtFlags};
use xcap_frames::{Error, PacketSocket, Ring};

/// What a frame gets of a ring: room for an Ethernet frame and what the kernel writes before it.
/// Of a longer one, the beginning is captured.
pub const FRAME: u32 = 2048;

/// A page, and the most that is asked for in one piece.
const BLOCKS: std::ops::RangeInclusive<u64> = 4096..=64 << 10;

/// How a ring of some bytes is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    pub size: u32,
    pub count: u32,
}

impl Blocks {
    /// `bytes` or fewer, but a page at least.
    pub fn of(bytes: u64, count_at_least: u64) -> Self {
        let bytes = bytes.max(*BLOCKS.start());
        let size = (bytes / count_at_least).clamp(*BLOCKS.start(), *BLOCKS.end());
        // A power of two, rounded down: pages come in such pieces alone.
        let size = 1 << size.ilog2();
        Self {
            size,
            count: (bytes / u64::from(size)) as u32,
        }
    }

    pub fn bytes(self) -> u64 {
        u64::from(self.size) * u64::from(self.count)
    }
}

pub struct Mapped {
    socket: Arc<PacketSocket>,
    start: NonNull<u8>,
    bytes: usize,
}

impl Mapped {
    /// Maps the ring that `socket` gets.
    pub fn new(socket: Arc<PacketSocket>, ring: Ring, bytes: u64) -> Result<Self, Error> {
        socket.set_ring(ring)?;
        let length = NonZeroUsize::new(bytes as usize).ok_or(Error::NoMemoryForRing { bytes })?;
        let shared = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: The kernel chooses an address that nothing else has; the mapping is never undone.
        let start = unsafe { mmap(None, length, access, shared, socket.as_fd(), 0) }
            .map_err(Error::while_doing("mapping the ring"))?;
        Ok(Self {
            socket,
            start: start.cast(),
            bytes: length.get(),
        })
    }

    /// What is at `offset`, which the kernel aligns and fills.
    ///
    /// # Safety
    ///
    /// The kernel has handed over what is there and does not write it; any bytes make a `T`.
    #[inline]
    pub unsafe fn read<T: Copy>(&self, offset: usize) -> T {
        assert!(offset + size_of::<T>() <= self.bytes, "beyond the ring");
        // SAFETY: Inside the mapping, as was just seen; the rest the caller promises.
        unsafe { self.start.add(offset).cast::<T>().read_unaligned() }
    }

    /// The word at `offset` that says whose the frame or block is.
    #[inline]
    pub fn status(&self, offset: usize) -> &AtomicU32 {
        assert!(offset % 4 == 0 && offset + 4 <= self.bytes, "no word there");
        // SAFETY: An aligned word inside the mapping, which lives as long as the program; the kernel
        // and this program write it whole.
        unsafe { AtomicU32::from_ptr(self.start.add(offset).cast().as_ptr()) }
    }

    /// Whether the frame or block whose status is at `offset` is ours.
    #[inline]
    pub fn is_ours(&self, offset: usize) -> bool {
        self.status(offset).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// Gives it back.
    #[inline]
    pub fn release(&self, offset: usize) {
        self.status(offset)
            .store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    /// Waits until something is there.
    pub fn wait(&self) -> Result<(), Errno> {
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut polled, PollTimeout::NONE)?;
        let failed = polled[0]
            .revents()
            .is_some_and(|events| events.contains(PollFlags::POLLERR));
        match failed.then(|| self.socket.error()) {
            Some(error) if error != Errno::from_raw(0) => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_pages_in_powers_of_two_and_no_more_than_asked_for() {
        for bytes in [1, 4096, 5000, 8192, 100_000, 2 << 20, 64 << 20] {
            for least in [1, 4] {
                let blocks = Blocks::of(bytes, least);
                assert!(blocks.size.is_power_of_two() && blocks.size >= 4096);
                assert!(blocks.count >= 1);
                assert!(blocks.bytes() <= bytes.max(4096), "{bytes}: {blocks:?}");
                assert!(blocks.bytes() * 2 > bytes, "{bytes}: {blocks:?}");
            }
        }
    }
}
