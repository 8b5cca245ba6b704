// SPDX-License-Identifier: GPL-2.0

//! A hit's cost when caches and predictors have forgotten it.

use crate::cpu::Cpu;
use crate::layout::DEPTHS;
use crate::plan::Plan;
use crate::record::{Place, Row};
use crate::statistics::Pairs;
use crate::unit::{Callers, Driver, Returns};
use crate::variant::Variant;
use anyhow::Result;
use std::hint::black_box;

/// Memory that is written to make the caches cold: more than a second-level cache.
const BYTES: usize = 4 << 20;

/// Calls of which one value is the mean: the clock may tick in steps of many.
const CALLS: u64 = 5;

struct Forgetter {
    memory: Vec<u8>,
    seed: u64,
}

impl Forgetter {
    fn forget(&mut self) {
        self.seed += 1;
        for line in self.memory.iter_mut().step_by(64) {
            *line = black_box(*line).wrapping_add(1);
        }
        for returns in Returns::ALL {
            // SAFETY: Code that reaches nothing but its own branches.
            unsafe { (returns.unit().scramble)(self.seed) };
        }
    }

    /// Ticks of a call.
    fn call(&mut self, cpu: &mut Cpu, driver: Driver) -> f64 {
        let mut ticks = 0;
        for _ in 0..CALLS {
            // SAFETY: What is installed found its memory ready.
            unsafe {
                // What is forgotten was known, whatever ran before.
                cpu.run(driver, 1);
                self.forget();
                ticks += cpu.run_alone(driver);
            }
        }
        ticks as f64 / CALLS as f64
    }
}

pub fn rows(plan: &Plan, cpu: &mut Cpu) -> Result<Vec<Row>> {
    let unit = Returns::Plain.unit();
    let mut forgetter = Forgetter {
        memory: vec![0; BYTES],
        seed: 0,
    };
    let mut pairs = vec![vec![Pairs::default(); Variant::ALL.len()]; DEPTHS.len()];
    let mut counted = vec![vec![Some(0); Variant::ALL.len()]; DEPTHS.len()];
    for _ in 0..plan.repetitions {
        for depth in 0..DEPTHS.len() {
            let driver = unit.driver(Callers::Straight, depth);
            let unprobed = forgetter.call(cpu, driver);
            for (index, variant) in Variant::ALL.into_iter().enumerate() {
                let patches = variant.install(unit)?;
                variant.ready(cpu);
                let probed = forgetter.call(cpu, driver);
                drop(patches);
                pairs[depth][index].push(unprobed, probed);
                let total = &mut counted[depth][index];
                *total = total.zip(variant.counted(cpu)).map(|(a, b)| a + b);
            }
        }
    }
    let mut rows = Vec::new();
    for depth in 0..DEPTHS.len() {
        for (index, variant) in Variant::ALL.into_iter().enumerate() {
            let place = Place {
                variant,
                depth,
                callers: Callers::Straight,
                caches: "cold",
                returns: Returns::Plain,
                cpus: 1,
            };
            rows.push(Row::new(
                &place,
                &pairs[depth][index].typical(),
                u64::from(plan.repetitions) * 2 * CALLS,
                counted[depth][index],
            ));
        }
    }
    Ok(rows)
}
