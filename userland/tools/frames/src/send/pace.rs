// SPDX-License-Identifier: GPL-2.0

//! Pauses shorter than a timer can give.

use std::hint::spin_loop;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Sleeping may last so much longer than asked for; the rest is waited out awake.
const OVERSLEEP: Duration = Duration::from_millis(1);

/// Returns no sooner than after `pause`, and as soon as the clock can tell.
pub fn pause(pause: Duration) {
    let end = Instant::now() + pause;
    if let Some(asleep) = pause.checked_sub(2 * OVERSLEEP) {
        sleep(asleep + OVERSLEEP);
    }
    while Instant::now() < end {
        spin_loop();
    }
}
