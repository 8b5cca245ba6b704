// SPDX-License-Identifier: GPL-2.0

//! Tells when to stop, from a thread of its own.
//!
//! The capturing thread sets no timer and reads no clock: a probe on its
//! recvfrom() sees calls that wait for frames, and nothing else.

use std::time::{Duration, Instant};

use xcap_frames::Signals;

use crate::ending::Ending;
use crate::tally::Progress;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub silence: Option<Duration>,
    pub timeout: Option<Duration>,
}

/// Looks this many times within a silence, so it lasts a quarter longer at most.
const LOOKS: u32 = 4;

/// Returns when a signal, the silence or the timeout says so.
pub fn watch(signals: &Signals, limits: Limits, progress: &Progress) -> Ending {
    let start = Instant::now();
    let mut last_frame = start;
    let mut frames = 0;
    loop {
        let left = limits
            .timeout
            .map(|timeout| timeout.saturating_sub(start.elapsed()));
        let look = limits.silence.map(|silence| silence / LOOKS);
        match signals.came_within(left.into_iter().chain(look).min()) {
            Ok(true) => return Ending::Signal,
            Ok(false) => (),
            Err(error) => return Ending::Failure(error.to_string()),
        }
        let now = Instant::now();
        if limits.timeout.is_some_and(|timeout| now - start >= timeout) {
            return Ending::Timeout;
        }
        let seen = progress.total().frames;
        if seen != frames {
            frames = seen;
            last_frame = now;
        } else if frames > 0
            && limits
                .silence
                .is_some_and(|silence| now - last_frame >= silence)
        {
            return Ending::Silence;
        }
    }
}
