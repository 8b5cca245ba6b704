// SPDX-License-Identifier: GPL-2.0

//! What capturing cost the program itself.

use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::time::{clock_gettime, ClockId};
use perf_event::events::Hardware;
use perf_event::{Builder, Counter};
use xcap_frames::{Error, Spent};

/// What one thread spends, from now on, for any thread to read.
#[derive(Debug)]
struct Thread {
    clock: ClockId,
    begin_ns: u64,
    user: Option<User>,
}

/// The processor's own counters of a thread, in user mode alone.
#[derive(Debug)]
struct User {
    instructions: Counter,
    cycles: Counter,
}

/// What all capturing threads spend.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Vec<Thread>>);

impl Meter {
    /// To be called by each thread when it begins to capture.
    pub fn begin(&self) -> Result<(), Error> {
        let clock = own_clock().map_err(Error::while_doing("finding this thread's clock"))?;
        let thread = Thread {
            clock,
            begin_ns: nanoseconds(clock)?,
            user: User::begin(),
        };
        self.threads().push(thread);
        Ok(())
    }

    /// `calls`: system calls that got the frames, where they are known.
    pub fn spent(&self, calls: Option<u64>) -> Result<Spent, Error> {
        let mut threads = self.threads();
        let mut spent = Spent {
            threads: threads.len() as u32,
            calls,
            cpu_ns: 0,
            user_instructions: Some(0),
            user_cycles: Some(0),
        };
        for thread in threads.iter_mut() {
            spent.cpu_ns += nanoseconds(thread.clock)?.saturating_sub(thread.begin_ns);
            let (instructions, cycles) = thread.user.as_mut().map_or((None, None), User::read);
            spent.user_instructions = added(spent.user_instructions, instructions);
            spent.user_cycles = added(spent.user_cycles, cycles);
        }
        Ok(spent)
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<Thread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn added(sum: Option<u64>, more: Option<u64>) -> Option<u64> {
    Some(sum? + more?)
}

impl User {
    /// None: the processor, or the hypervisor, offers no counters.
    fn begin() -> Option<Self> {
        let begin = |event: Hardware| {
            let mut counter = Builder::new().kind(event).build().ok()?;
            counter.enable().ok()?;
            Some(counter)
        };
        Some(Self {
            instructions: begin(Hardware::INSTRUCTIONS)?,
            cycles: begin(Hardware::CPU_CYCLES)?,
        })
    }

    fn read(&mut self) -> (Option<u64>, Option<u64>) {
        (self.instructions.read().ok(), self.cycles.read().ok())
    }
}

/// The clock of this thread's CPU time, as every thread may read it.
fn own_clock() -> Result<ClockId, Errno> {
    let mut clock = 0;
    // SAFETY: The thread is this one, which exists; the pointer is to a local that outlives the call.
    let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
    match failed {
        0 => Ok(ClockId::from_raw(clock)),
        error => Err(Errno::from_raw(error)),
    }
}

fn nanoseconds(clock: ClockId) -> Result<u64, Error> {
    let time = clock_gettime(clock).map_err(Error::while_doing("reading a thread's clock"))?;
    // Neither is negative on a clock of CPU time.
    Ok(time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}
