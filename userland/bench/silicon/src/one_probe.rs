// SPDX-License-Identifier: GPL-2.0

//! More than one CPU at the same probe, at the same time.

use crate::calls::warm;
use crate::cpu::Cpu;
use crate::layout::DEPTHS;
use crate::plan::Plan;
use crate::record::{Place, Row};
use crate::statistics::Pairs;
use crate::unit::{Callers, Returns};
use crate::variant::Variant;
use anyhow::{Context, Result};
use std::arch::x86_64::__cpuid;
use std::sync::Barrier;
use std::thread;

/// 1, 2, 4, … and all.
fn steps(cpus: usize) -> Vec<usize> {
    let mut steps: Vec<usize> = (0..)
        .map(|power| 1 << power)
        .take_while(|&n| n < cpus)
        .collect();
    steps.push(cpus);
    steps
}

/// What one CPU found with one variant.
#[derive(Clone, Default)]
struct Found {
    times: Vec<f64>,
    counted: Option<u64>,
}

/// All CPUs call `driver` at once; with a probe if there is a variant.
fn together(
    plan: &Plan,
    cpus: &[usize],
    place: (Returns, usize),
    variant: Option<Variant>,
) -> Result<Vec<Found>> {
    let (returns, depth) = place;
    let unit = returns.unit();
    let driver = unit.driver(Callers::Straight, depth);
    let _patches = variant.map(|variant| variant.install(unit)).transpose()?;
    let barrier = Barrier::new(cpus.len());
    let one = |number: usize| -> Result<Found> {
        // Whatever becomes of this CPU, the others wait for it.
        let cpu = Cpu::enter(number);
        barrier.wait();
        let mut cpu = cpu?;
        // Code was written by another CPU: this one must not have fetched what was there before.
        __cpuid(0);
        if let Some(variant) = variant {
            variant.ready(&mut cpu);
        }
        // SAFETY: What is installed found its memory ready.
        let times = (0..plan.repetitions).map(|_| unsafe { warm(plan, &mut cpu, driver) });
        Ok(Found {
            times: times.collect(),
            counted: variant.and_then(|variant| variant.counted(&cpu)),
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = cpus
            .iter()
            .map(|&number| scope.spawn(move || one(number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().ok().context("a CPU's thread panicked")?)
            .collect()
    })
}

/// Of the module's variants, with plain returns, under 1 and 16 callers.
pub fn rows(plan: &Plan, cpus: &[usize]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let returns = Returns::Plain;
    for n in steps(cpus.len()) {
        for depth in (0..DEPTHS.len()).filter(|&depth| matches!(DEPTHS[depth], 1 | 16)) {
            let unprobed = together(plan, &cpus[..n], (returns, depth), None)?;
            for variant in Variant::ours() {
                let probed = together(plan, &cpus[..n], (returns, depth), Some(variant))?;
                let mut pairs = Pairs::default();
                for (unprobed, probed) in unprobed.iter().zip(&probed) {
                    for (&unprobed, &probed) in unprobed.times.iter().zip(&probed.times) {
                        pairs.push(unprobed, probed);
                    }
                }
                let place = Place {
                    variant,
                    depth,
                    callers: Callers::Straight,
                    caches: "hot",
                    returns,
                    cpus: n,
                };
                let hits = u64::from(plan.repetitions) * (plan.warm_up() + plan.calls) * n as u64;
                let counted = probed.iter().map(|found| found.counted).sum();
                rows.push(Row::new(&place, &pairs.extra(), hits, counted));
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_and_end_with_all() {
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(2), [1, 2]);
        assert_eq!(steps(6), [1, 2, 4, 6]);
    }
}
