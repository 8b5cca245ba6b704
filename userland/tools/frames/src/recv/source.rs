// SPDX-License-Identifier: GPL-2.0

//! Where frames come from.

use nix::errno::Errno;

use crate::tally::{tsc, Progress, Taken};

/// A way of getting frames from the kernel. None does anything with them.
pub trait Source {
    /// Takes frames that are there, `room` at most; waits if there are none. None at all may come of it.
    fn take(&mut self, room: u64) -> Result<Taken, Errno>;

    /// Captures as thread number `thread` until all that were asked for have come.
    ///
    /// Here so that each way has a loop of its own, with nothing called through a table in it.
    fn capture(&mut self, thread: usize, progress: &Progress) -> Result<(), Errno> {
        let mut so_far = Taken::default();
        let mut moments = 0;
        let mut room = progress.note(thread, so_far);
        while room > 0 {
            match self.take(room) {
                Ok(taken) => {
                    so_far.frames += taken.frames;
                    so_far.bytes += taken.bytes;
                    so_far.calls += taken.calls;
                    if let Some(begin) = progress.begin() {
                        moments += (tsc() - begin) * taken.frames;
                        progress.note_moments(thread, moments);
                    }
                    room = progress.note(thread, so_far);
                }
                Err(Errno::EINTR) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Frames that are there and not taken, where the kernel doesn't count what came.
    fn left(&mut self) -> u64 {
        0
    }
}
