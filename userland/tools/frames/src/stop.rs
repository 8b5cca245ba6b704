// SPDX-License-Identifier: GPL-2.0

//! Being told to stop while another thread sits in a system call.

use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd;

use crate::Error;

/// SIGINT and SIGTERM, taken by whoever waits for them.
///
/// The thread that does the work is never interrupted: its system calls stay
/// one a frame, and a probe on them sees nothing else.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Takes the signals from this thread and all that it starts later.
    pub fn take() -> Result<Self, Error> {
        let doing = || Error::while_doing("taking SIGINT and SIGTERM");
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        signals.thread_block().map_err(doing())?;
        SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)
            .map(Self)
            .map_err(doing())
    }

    /// Waits for a signal, for ever or for `patience`; says whether one came.
    pub fn came_within(&self, patience: Option<Duration>) -> Result<bool, Error> {
        let timeout = patience.map_or(PollTimeout::NONE, |patience| {
            // Rounded up, else less than a millisecond would spin.
            let millis = patience.as_nanos().div_ceil(1_000_000);
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        });
        match poll(
            &mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(Error::while_doing("waiting for signals")(error)),
        }
    }
}
