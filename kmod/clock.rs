// SPDX-License-Identifier: GPL-2.0

//! Whether the TSC can be trusted: its rate, its cost, its agreement between CPUs.

use super::{bindings, cpu};
use core::{
    ffi::c_void,
    sync::atomic::{AtomicU64, Ordering},
};

/// What was found out about the TSC when the module was loaded.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// Ticks per millisecond.
    pub(crate) khz: u64,
    /// Runs at one rate, also when the CPU idles.
    pub(crate) invariant: bool,
    /// Reading it traps to a hypervisor.
    pub(crate) trapped: bool,
    /// What reading it costs.
    pub(crate) rdtsc_cycles: u64,
    /// The clocks of two CPUs differ by no more.
    pub(crate) skew_cycles: u64,
}

/// More than any CPU takes, less than any hypervisor.
const TRAP_CYCLES: u64 = 500;

/// Tries, of which the best counts.
const TRIES: u32 = 64;

impl Clock {
    pub(crate) const UNKNOWN: Self = Self {
        khz: 0,
        invariant: false,
        trapped: false,
        rdtsc_cycles: 0,
        skew_cycles: 0,
    };

    /// Measures; takes some milliseconds.
    pub(crate) fn check() -> Self {
        let rdtsc_cycles = (0..TRIES)
            .map(|_| {
                let first = cpu::rdtsc();
                cpu::rdtsc().wrapping_sub(first)
            })
            .min()
            .unwrap_or(0);
        Self {
            // SAFETY: Set at boot.
            khz: unsafe { kernel::bindings::tsc_khz }.into(),
            // SAFETY: Reads flags that are set at boot.
            invariant: unsafe { bindings::xcap_tsc_invariant() },
            trapped: rdtsc_cycles > TRAP_CYCLES,
            rdtsc_cycles,
            skew_cycles: skew(),
        }
    }
}

unsafe extern "C" fn read_remote(answer: *mut c_void) {
    // SAFETY: `skew` passes such a variable and waits.
    unsafe { &*answer.cast::<AtomicU64>() }.store(cpu::rdtsc(), Ordering::Relaxed);
}

/// An upper bound of the difference between this CPU's TSC and any other's.
///
/// The other's reading lies between two of ours if the clocks agree; how far it can lie outside is
/// what the tries narrow down.
fn skew() -> u64 {
    let answer = AtomicU64::new(0);
    let mut bound = 0;
    for cpu in cpu::possible().filter(|&cpu| cpu::is_online(cpu)) {
        let (mut least, mut most) = (i64::MIN, i64::MAX);
        for _ in 0..TRIES {
            let before = cpu::rdtsc();
            #[allow(clippy::useless_conversion, reason = "an integer before Linux 7.3")]
            let wait = true.into();
            // SAFETY: `read_remote` takes the variable's address, and the call waits for it.
            let error = unsafe {
                kernel::bindings::smp_call_function_single(
                    cpu as i32,
                    Some(read_remote),
                    (&raw const answer).cast_mut().cast(),
                    wait,
                )
            };
            let after = cpu::rdtsc();
            if error != 0 {
                break;
            }
            let there = answer.load(Ordering::Relaxed);
            // A move of this task to another CPU only widens what is seen.
            least = least.max(there.wrapping_sub(after) as i64);
            most = most.min(there.wrapping_sub(before) as i64);
        }
        if least != i64::MIN {
            bound = bound.max(least.unsigned_abs()).max(most.unsigned_abs());
        }
    }
    bound
}
