// SPDX-License-Identifier: GPL-2.0

//! When to let go.

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io::{stdin, Read};
use std::os::fd::AsFd;

/// SIGTERM and SIGINT, which end the program no more by themselves.
pub struct Signals(SignalFd);

impl Signals {
    pub fn take() -> nix::Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
        signals.thread_block()?;
        Ok(Self(SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?))
    }

    /// Returns when a signal has come or the input has ended.
    pub fn or_end_of_input(&self) -> std::io::Result<()> {
        let mut input = stdin();
        loop {
            let (signals, more) = {
                let mut both = [
                    PollFd::new(self.0.as_fd(), PollFlags::POLLIN),
                    PollFd::new(input.as_fd(), PollFlags::POLLIN),
                ];
                match poll(&mut both, PollTimeout::NONE) {
                    Err(Errno::EINTR) => continue,
                    result => result?,
                };
                let [signals, more] = both.map(|fd| fd.any().unwrap_or(true));
                (signals, more)
            };
            if signals || more && input.read(&mut [0; 512])? == 0 {
                return Ok(());
            }
        }
    }
}
