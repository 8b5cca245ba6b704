// SPDX-License-Identifier: GPL-2.0

//! What a hit costs on this processor: the module's own hot path, run in user space.
//!
//! kmod/hot_path.S is assembled into this program (build.rs, asm/unit.S), functions are patched as
//! ftrace patches the kernel's, and per-CPU memory is reached through `gs`, which is a thread's own.
//! [`measure`] gives a [`Silicon`], which [`show`] draws in a terminal and [`document`] writes into
//! docs/benchmarks.md.

mod calls;
mod cold;
mod counters;
mod cpu;
pub mod document;
mod hot;
mod image;
mod layout;
mod machine;
mod one_probe;
mod plan;
mod record;
pub mod show;
mod site;
mod statistics;
mod tables;
mod truth;
mod unit;
mod variant;

pub use hot::ROUNDS;
pub use plan::Plan;
pub use record::{Calibrated, Row, Silicon, Truth};

use anyhow::{bail, Context, Result};

/// Measures everything, on the last CPU that this process may use.
///
/// # Errors
///
/// If the CPU lacks what the hot path asks of it, or code can't be mapped.
pub fn measure(plan: &Plan) -> Result<Silicon> {
    if !is_x86_feature_detected!("lzcnt") || !is_x86_feature_detected!("bmi2") {
        bail!("this CPU has neither lzcnt nor shlx: the hot path for it is another, not measured here");
    }
    image::map()?;
    let cpus = cpu::allowed()?;
    let &last = cpus.last().context("this process may run on no CPU")?;
    let home = plan.cpu.unwrap_or(last);
    // In a thread of its own: its affinity ends with it.
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| on(plan, home, &cpus)).join();
        measured.unwrap_or_else(|_| bail!("a measurement panicked"))
    })
}

fn on(plan: &Plan, home: usize, cpus: &[usize]) -> Result<Silicon> {
    let mut cpu = cpu::Cpu::enter(home)?;
    let mut silicon = Silicon::new(plan)?;
    let mut counters = match counters::Counters::open() {
        Ok(counters) => Some(counters),
        Err(e) => {
            silicon.notes.push(format!("no counters: {e}"));
            None
        }
    };
    silicon.floor_ticks = hot::floor(plan, &mut cpu)?;
    eprintln!("xcap-bench: silicon: by depth and callers, hot");
    silicon.rows = hot::rows(plan, &mut cpu, counters.as_mut())?;
    eprintln!("xcap-bench: silicon: cold caches and predictors");
    silicon.rows.extend(cold::rows(plan, &mut cpu)?);
    eprintln!("xcap-bench: silicon: functions of known length");
    (silicon.calibrated, silicon.truth) = truth::measure(plan, &mut cpu)?;
    drop(cpu);
    eprintln!("xcap-bench: silicon: more CPUs at one probe");
    silicon.rows.extend(one_probe::rows(plan, cpus)?);
    Ok(silicon)
}
