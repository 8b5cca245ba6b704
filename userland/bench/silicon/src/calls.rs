// SPDX-License-Identifier: GPL-2.0

//! Batches of calls, warm and timed.

use crate::cpu::Cpu;
use crate::plan::Plan;
use crate::unit::Driver;

/// Ticks a call of a batch, after calls that warm it up.
///
/// # Safety
///
/// As for [`Cpu::run`].
pub unsafe fn warm(plan: &Plan, cpu: &mut Cpu, driver: Driver) -> f64 {
    // SAFETY: The caller's promise.
    unsafe {
        cpu.run(driver, plan.warm_up());
        cpu.run(driver, plan.calls) as f64 / plan.calls as f64
    }
}
