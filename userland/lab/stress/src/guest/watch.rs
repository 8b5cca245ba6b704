// SPDX-License-Identifier: GPL-2.0

//! Sees to it that no system call takes for ever: it is sent signals, which end what may be ended.

use crate::guest::journal::Journal;
use nix::libc;
use nix::sys::pthread::{pthread_kill, pthread_self, Pthread};
use nix::sys::signal::{sigaction, SaFlags, SigAction, SigHandler, SigSet, Signal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So often, before its patience is over, whoever waits for calls that don't return is interrupted.
const NUDGES: u32 = 60;

/// One system call at a time, of whatever thread.
pub struct Watch {
    /// Longer than anything takes that isn't hanging.
    patience: Duration,
    current: Mutex<Option<Call>>,
}

struct Call {
    thread: Pthread,
    begun: Instant,
    nudged: Instant,
    what: String,
}

extern "C" fn nothing(_: libc::c_int) {}

impl Watch {
    pub fn new(patience: Duration) -> anyhow::Result<Self> {
        let action = SigAction::new(
            SigHandler::Handler(nothing),
            SaFlags::empty(),
            SigSet::empty(),
        );
        // SAFETY: The handler does nothing.
        unsafe { sigaction(Signal::SIGUSR1, &action)? };
        Ok(Self {
            patience,
            current: Mutex::new(None),
        })
    }

    fn current(&self) -> MutexGuard<'_, Option<Call>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, which a signal ends after a while where it can be ended.
    pub fn during<T>(&self, what: impl Into<String>, call: impl FnOnce() -> T) -> T {
        let now = Instant::now();
        *self.current() = Some(Call {
            thread: pthread_self(),
            begun: now,
            nudged: now,
            what: what.into(),
        });
        let result = call();
        *self.current() = None;
        result
    }

    /// To be called every now and then. A call that hangs ends the program: nothing else can.
    pub fn look(&self, journal: &Journal) {
        let mut current = self.current();
        let Some(call) = current.as_mut() else {
            return;
        };
        if call.begun.elapsed() > self.patience {
            let what = format!("{} took more than {:?}", call.what, self.patience);
            journal.fail(what);
            // What every task waits for, in the kernel's log.
            let _ = std::fs::write("/proc/sysrq-trigger", "w");
            journal.outcome(0).print();
            std::process::exit(1);
        }
        if call.nudged.elapsed() > self.patience / NUDGES {
            call.nudged = Instant::now();
            // The thread is in the call: `during` takes it out before it ends.
            let _ = pthread_kill(call.thread, Signal::SIGUSR1);
        }
    }
}
