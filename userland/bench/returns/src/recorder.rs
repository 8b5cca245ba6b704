// SPDX-License-Identifier: GPL-2.0

//! Follows each CPU's calls and returns, and counts between its markers.

use crate::stack::ReturnStack;
use crate::window::{Window, ENTRIES};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Addresses above are the kernel's.
const KERNEL: u64 = 1 << 63;

#[derive(Default)]
struct Cpu {
    small: ReturnStack<{ ENTRIES[0] }>,
    large: ReturnStack<{ ENTRIES[1] }>,
    window: Option<Window>,
}

/// Each CPU's own is locked by that CPU only.
pub struct Recorder(Vec<Mutex<Cpu>>);

impl Recorder {
    pub fn new(cpus: usize) -> Self {
        Self((0..cpus).map(|_| Mutex::default()).collect())
    }

    fn cpu(&self, cpu: usize) -> Option<MutexGuard<'_, Cpu>> {
        let own = self.0.get(cpu)?;
        Some(own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn begin(&self, cpu: usize) {
        if let Some(mut cpu) = self.cpu(cpu) {
            cpu.window = Some(Window::default());
        }
    }

    /// The window that ends here, if one had begun.
    pub fn end(&self, cpu: usize) -> Option<Window> {
        self.cpu(cpu)?.window.take()
    }

    /// The CPU called something that is to return to `address`.
    pub fn called(&self, cpu: usize, address: u64) {
        if let Some(mut cpu) = self.cpu(cpu) {
            cpu.small.push(address);
            cpu.large.push(address);
        }
    }

    /// The CPU returned to `address`.
    pub fn returned(&self, cpu: usize, address: u64) {
        let Some(mut cpu) = self.cpu(cpu) else { return };
        let expected = [cpu.small.pop(), cpu.large.pop()];
        let Some(window) = &mut cpu.window else {
            return;
        };
        if address < KERNEL {
            return;
        }
        window.returns += 1;
        for (count, expected) in window.mispredicted.iter_mut().zip(expected) {
            *count += u64::from(expected != address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes so deep, and returns.
    fn nest(recorder: &Recorder, cpu: usize, depth: u64) {
        (1..=depth).for_each(|caller| recorder.called(cpu, KERNEL + caller));
        (1..=depth)
            .rev()
            .for_each(|caller| recorder.returned(cpu, KERNEL + caller));
    }

    #[test]
    fn each_size_mispredicts_what_is_deeper_than_it() {
        let recorder = Recorder::new(1);
        recorder.begin(0);
        nest(&recorder, 0, 37);
        let window = recorder.end(0).expect("it has begun");
        assert_eq!((window.returns, window.mispredicted), (37, [21, 5]));
    }

    #[test]
    fn calls_before_the_window_are_known_in_it() {
        let recorder = Recorder::new(1);
        recorder.called(0, KERNEL);
        recorder.begin(0);
        recorder.returned(0, KERNEL);
        let window = recorder.end(0).expect("it has begun");
        assert_eq!((window.returns, window.mispredicted), (1, [0, 0]));
    }

    #[test]
    fn user_mode_and_other_cpus_are_not_counted_but_followed() {
        let recorder = Recorder::new(2);
        recorder.begin(0);
        recorder.called(0, 7);
        nest(&recorder, 1, 100);
        recorder.returned(0, 8);
        nest(&recorder, 0, 3);
        let window = recorder.end(0).expect("it has begun");
        assert_eq!((window.returns, window.mispredicted), (3, [0, 0]));
        assert_eq!(recorder.end(0), None, "a window is given once");
        assert_eq!(recorder.end(1), None, "none has begun");
    }
}
