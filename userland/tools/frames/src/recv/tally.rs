// SPDX-License-Identifier: GPL-2.0

//! What was captured so far.

use std::sync::atomic::{fence, AtomicU64, Ordering};

/// What a program got from the kernel at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    pub frames: u64,
    pub bytes: u64,
    /// System calls that it took.
    pub calls: u64,
}

/// What one thread captured so far; it alone writes, and no other thread's is near.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Tally {
    frames: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
    /// Sum of the moments at which its frames were taken.
    moments: AtomicU64,
}

/// What all threads captured so far.
#[derive(Debug)]
pub struct Progress {
    tallies: Vec<Tally>,
    /// Frames to capture in all.
    count: Option<u64>,
    /// The TSC at the beginning, from which moments count; none: nobody asks for them.
    begin: Option<u64>,
}

pub fn tsc() -> u64 {
    // SAFETY: Every x86-64 processor has the instruction, and Linux lets user mode use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

impl Progress {
    pub fn new(threads: usize, count: Option<u64>, timed: bool) -> Self {
        Self {
            tallies: (0..threads).map(|_| Tally::default()).collect(),
            count,
            begin: timed.then(tsc),
        }
    }

    /// From when moments count, if they do.
    pub fn begin(&self) -> Option<u64> {
        self.begin
    }

    /// Notes the sum of the moments at which `thread` took its frames so far.
    pub fn note_moments(&self, thread: usize, sum: u64) {
        self.tallies[thread].moments.store(sum, Ordering::Relaxed);
    }

    /// The mean TSC of the moments at which these frames were taken, which are all.
    pub fn mean_tsc(&self, frames: u64) -> Option<u64> {
        let moments = self.tallies.iter().map(|tally| &tally.moments);
        let sum: u64 = moments.map(|sum| sum.load(Ordering::Relaxed)).sum();
        Some(self.begin? + sum.checked_div(frames)?)
    }

    pub fn total(&self) -> Taken {
        let sum = |figure: fn(&Tally) -> &AtomicU64| {
            let figures = self.tallies.iter().map(figure);
            figures.map(|figure| figure.load(Ordering::Relaxed)).sum()
        };
        Taken {
            frames: sum(|tally| &tally.frames),
            bytes: sum(|tally| &tally.bytes),
            calls: sum(|tally| &tally.calls),
        }
    }

    /// Notes what `thread` captured so far; says how many frames are still to come.
    #[inline]
    pub fn note(&self, thread: usize, so_far: Taken) -> u64 {
        let tally = &self.tallies[thread];
        // Plain stores: an atomic addition would lock the bus for each frame.
        tally.frames.store(so_far.frames, Ordering::Relaxed);
        tally.bytes.store(so_far.bytes, Ordering::Relaxed);
        tally.calls.store(so_far.calls, Ordering::Relaxed);
        match self.count {
            None => u64::MAX,
            Some(count) if self.tallies.len() == 1 => count - so_far.frames,
            Some(count) => {
                // Of two threads that take the last frames at once, one sees both.
                fence(Ordering::SeqCst);
                count.saturating_sub(self.total().frames)
            }
        }
    }
}
