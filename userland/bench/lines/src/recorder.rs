// SPDX-License-Identifier: GPL-2.0

//! Records, for each CPU, the lines that it touches between its markers.

use crate::window::{Count, Line, Touches, Window};
use crate::LINE_BYTES;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Record {
    accesses: u64,
    together: u64,
    /// Line and instruction → how often, and the last virtual address.
    counts: HashMap<(u64, u64), (Count, u64)>,
}

impl Record {
    fn lines(&self) -> HashMap<u64, Touches> {
        let mut lines: HashMap<u64, Touches> = HashMap::new();
        for (&(line, by), &(count, address)) in &self.counts {
            let touches = lines.entry(line).or_default();
            touches.address = address;
            touches.by.insert(by, count);
        }
        lines
    }
}

#[derive(Default)]
enum Cpu {
    #[default]
    Idle,
    Recording(Record),
    Ended(Record),
}

/// An access to memory.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub physical: u64,
    pub address: u64,
    pub store: bool,
    /// Address of the instruction.
    pub by: u64,
}

/// Each CPU's own is locked by that CPU only, until a window ends.
pub struct Recorder {
    cpus: Vec<Mutex<Cpu>>,
    recording: AtomicUsize,
}

fn lock(cpu: &Mutex<Cpu>) -> MutexGuard<'_, Cpu> {
    cpu.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub fn new(cpus: usize) -> Self {
        Self {
            cpus: (0..cpus).map(|_| Mutex::default()).collect(),
            recording: AtomicUsize::new(0),
        }
    }

    pub fn begin(&self, cpu: usize) {
        if let Some(own) = self.cpus.get(cpu) {
            let before = std::mem::replace(&mut *lock(own), Cpu::Recording(Record::default()));
            if !matches!(before, Cpu::Recording(_)) {
                self.recording.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What `access` finds, if this CPU is between its markers.
    pub fn touch(&self, cpu: usize, access: impl FnOnce() -> Option<Access>) {
        let Some(own) = self.cpus.get(cpu) else {
            return;
        };
        let mut own = lock(own);
        let Cpu::Recording(record) = &mut *own else {
            return;
        };
        let Some(access) = access() else { return };
        record.accesses += 1;
        if self.recording.load(Ordering::Relaxed) == self.cpus.len() {
            record.together += 1;
        }
        let line = access.physical / LINE_BYTES * LINE_BYTES;
        let (count, address) = record.counts.entry((line, access.by)).or_default();
        *address = access.address;
        if access.store {
            count.writes += 1;
        } else {
            count.reads += 1;
        }
    }

    /// The window, if this CPU was the last in it.
    pub fn end(&self, cpu: usize) -> Option<Window> {
        {
            let mut own = lock(self.cpus.get(cpu)?);
            match std::mem::take(&mut *own) {
                Cpu::Recording(record) => *own = Cpu::Ended(record),
                other => {
                    *own = other;
                    return None;
                }
            }
            self.recording.fetch_sub(1, Ordering::Relaxed);
        }
        let mut all: Vec<MutexGuard<Cpu>> = self.cpus.iter().map(lock).collect();
        if !all.iter().all(|cpu| matches!(**cpu, Cpu::Ended(_))) {
            return None;
        }
        let records = all
            .iter_mut()
            .filter_map(|cpu| match std::mem::take(&mut **cpu) {
                Cpu::Ended(record) => Some(record),
                _ => None,
            });
        Some(window(records.collect()))
    }
}

fn window(records: Vec<Record>) -> Window {
    let mut window = Window {
        accesses: records.iter().map(|record| record.accesses).sum(),
        together: records.iter().map(|record| record.together).sum(),
        lines: Vec::new(),
    };
    let mut all = records.iter().map(Record::lines);
    let (first, mut others) = (all.next().unwrap_or_default(), all.collect::<Vec<_>>());
    for (physical, touches) in first {
        let mut cpus = vec![touches];
        cpus.extend(
            others
                .iter_mut()
                .filter_map(|lines| lines.remove(&physical)),
        );
        let written = cpus.iter().any(|touches| touches.count().writes > 0);
        if cpus.len() == others.len() + 1 && written {
            window.lines.push(Line { physical, cpus });
        }
    }
    window.lines.sort_by_key(|line| line.physical);
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(physical: u64, store: bool) -> impl Fn() -> Option<Access> {
        move || {
            Some(Access {
                physical,
                address: physical + 0x1000,
                store,
                by: 7,
            })
        }
    }

    /// Both CPUs' accesses in one window.
    fn recorded(accesses: &[(usize, u64, bool)]) -> Window {
        let recorder = Recorder::new(2);
        recorder.begin(0);
        recorder.begin(1);
        for &(cpu, physical, store) in accesses {
            recorder.touch(cpu, access(physical, store));
        }
        assert_eq!(recorder.end(1), None);
        recorder.end(0).expect("both have ended")
    }

    #[test]
    fn a_line_that_one_writes_and_the_other_reads_is_shared() {
        let window = recorded(&[(0, 0x47, true), (1, 0x40, false), (1, 0x7f, false)]);
        assert_eq!(window.lines.len(), 1);
        let line = &window.lines[0];
        assert_eq!(line.physical, 0x40);
        let (reads, writes) = (0, 1);
        assert_eq!(line.cpus[0].count(), Count { reads, writes });
        let (reads, writes) = (2, 0);
        assert_eq!(line.cpus[1].count(), Count { reads, writes });
        assert_eq!((window.accesses, window.together), (3, 3));
    }

    #[test]
    fn neighbouring_lines_and_lines_only_read_are_not() {
        let window = recorded(&[
            (0, 0x3f, true),
            (1, 0x40, true),
            (0, 0x80, false),
            (1, 0x80, false),
        ]);
        assert_eq!(window.lines, []);
    }

    #[test]
    fn nothing_outside_of_the_markers_counts() {
        let recorder = Recorder::new(2);
        recorder.touch(0, access(0, true));
        recorder.begin(0);
        recorder.touch(1, access(0, true));
        assert_eq!(recorder.end(0), None);
        recorder.touch(0, access(0, true));
        recorder.begin(1);
        recorder.touch(1, access(0, true));
        let window = recorder.end(1).expect("both have ended");
        assert_eq!(window.lines, []);
        assert_eq!((window.accesses, window.together), (1, 0));
        assert_eq!(recorder.end(1), None, "a window is given once");
    }

    #[test]
    fn windows_do_not_run_into_each_other() {
        let recorder = Recorder::new(1);
        for _ in 0..2 {
            recorder.begin(0);
            recorder.touch(0, access(0, true));
            let window = recorder.end(0).expect("the only one has ended");
            assert_eq!(window.accesses, 1);
        }
    }
}
