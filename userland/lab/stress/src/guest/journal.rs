// SPDX-License-Identifier: GPL-2.0

//! What a workload found, and what it did last.

use crate::guest::outcome::{Outcome, Swept};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// More of the same tells no more.
const MOST_FAILURES: usize = 20;

pub struct Journal {
    failures: Mutex<Vec<String>>,
    swept: Mutex<Vec<Swept>>,
    kernel_log: Option<File>,
}

impl Journal {
    pub fn new() -> Self {
        // Else most of what is written there is dropped.
        let _ = std::fs::write("/proc/sys/kernel/printk_devkmsg", "on\n");
        Self {
            failures: Mutex::default(),
            swept: Mutex::default(),
            kernel_log: OpenOptions::new().write(true).open("/dev/kmsg").ok(),
        }
    }

    /// A line in the kernel's log, where it stands beside what the kernel says to it.
    pub fn note(&self, text: &str) {
        if let Some(mut log) = self.kernel_log.as_ref() {
            // What can't be logged is lost: the seed tells it again.
            let _ = log.write_all(format!("<6>stress: {text}\n").as_bytes());
        }
    }

    pub fn fail(&self, text: String) {
        self.note(&format!("FAILED: {text}"));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MOST_FAILURES {
            failures.push(text);
        }
    }

    /// Fails with what went wrong.
    pub fn expect<T>(&self, outcome: anyhow::Result<T>) -> Option<T> {
        outcome.map_err(|e| self.fail(format!("{e:#}"))).ok()
    }

    pub fn sweep(&self, swept: Swept) {
        self.note(&swept.to_string());
        let mut all = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(swept);
    }

    /// What came of so many rounds.
    pub fn outcome(&self, rounds: u64) -> Outcome {
        Outcome {
            rounds,
            failures: all_of(&self.failures),
            swept: all_of(&self.swept),
            skipped: None,
        }
    }
}

fn all_of<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
    list.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
