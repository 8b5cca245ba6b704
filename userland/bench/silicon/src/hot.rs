// SPDX-License-Identifier: GPL-2.0

//! A hit's cost by depth, callers and form of return, with warm caches and predictors.

use crate::calls::warm;
use crate::counters::Counters;
use crate::cpu::Cpu;
use crate::layout::DEPTHS;
use crate::plan::Plan;
use crate::record::{Place, Row};
use crate::statistics::{minimum, Pairs};
use crate::unit::{Callers, Driver, Returns, Unit};
use crate::variant::Variant;
use anyhow::{ensure, Result};

/// How often what was noise is measured again.
pub const ROUNDS: u32 = 6;

/// Two clock readings in a function of their own.
pub fn floor(plan: &Plan, cpu: &mut Cpu) -> Result<f64> {
    let unit = Returns::Plain.unit();
    let _patches = Variant::Floor.install(unit)?;
    let times: Vec<f64> = (0..plan.repetitions)
        // SAFETY: The floor needs nothing of the CPU's memory.
        .map(|_| unsafe { warm(plan, cpu, unit.empty) })
        .collect();
    Ok(minimum(&times))
}

/// One chain, and all that can be installed at its innermost function.
struct Chain {
    returns: Returns,
    callers: Callers,
    depth: usize,
    pairs: Vec<Pairs>,
    hits: Vec<u64>,
    counted: Vec<Option<u64>>,
}

impl Chain {
    fn all() -> Vec<Self> {
        let mut chains = Vec::new();
        for returns in Returns::ALL {
            for callers in Callers::ALL {
                for depth in 0..DEPTHS.len() {
                    chains.push(Self {
                        returns,
                        callers,
                        depth,
                        pairs: vec![Pairs::default(); Variant::ALL.len()],
                        hits: vec![0; Variant::ALL.len()],
                        counted: vec![Some(0); Variant::ALL.len()],
                    });
                }
            }
        }
        chains
    }

    fn unit(&self) -> &'static Unit {
        self.returns.unit()
    }

    fn driver(&self) -> Driver {
        self.unit().driver(self.callers, self.depth)
    }

    /// A batch without a probe, and one with each variant.
    fn repeat(&mut self, plan: &Plan, cpu: &mut Cpu) -> Result<()> {
        let (unit, driver, per_call) = (self.unit(), self.driver(), self.callers.hits());
        // SAFETY: Nothing is probed.
        let unprobed = unsafe { warm(plan, cpu, driver) } / per_call as f64;
        for (index, variant) in Variant::ALL.into_iter().enumerate() {
            let patches = variant.install(unit)?;
            variant.ready(cpu);
            // SAFETY: The memory is as the variant wants it.
            let probed = unsafe { warm(plan, cpu, driver) } / per_call as f64;
            drop(patches);
            self.pairs[index].push(unprobed, probed);
            self.hits[index] += (plan.warm_up() + plan.calls) * per_call;
            let counted = variant.counted(cpu);
            self.counted[index] = self.counted[index].zip(counted).map(|(a, b)| a + b);
            ensure!(
                cpu.is_balanced(),
                "'{}' left preemption disabled",
                variant.word()
            );
        }
        Ok(())
    }

    fn is_noise(&self) -> bool {
        self.pairs.iter().any(|pairs| pairs.extra().is_noise)
    }

    fn rows(&self) -> Vec<Row> {
        let each = Variant::ALL.into_iter().enumerate();
        each.map(|(index, variant)| {
            let place = Place {
                variant,
                depth: self.depth,
                callers: self.callers,
                caches: "hot",
                returns: self.returns,
                cpus: 1,
            };
            let extra = self.pairs[index].extra();
            Row::new(&place, &extra, self.hits[index], self.counted[index])
        })
        .collect()
    }

    /// Counts beyond the unprobed chain, into the rows.
    fn count(
        &self,
        plan: &Plan,
        cpu: &mut Cpu,
        counters: &mut Counters,
        rows: &mut [Row],
    ) -> Result<()> {
        let (unit, driver) = (self.unit(), self.driver());
        let hits = (plan.calls * self.callers.hits()) as f64;
        let mut batch = |cpu: &mut Cpu| {
            // SAFETY: What is installed found its memory ready.
            unsafe { cpu.run(driver, plan.warm_up()) };
            counters.of(|| {
                // SAFETY: As above.
                unsafe { cpu.run(driver, plan.calls) };
            })
        };
        let before = batch(cpu)?;
        for (row, variant) in rows.iter_mut().zip(Variant::ALL) {
            let _patches = variant.install(unit)?;
            variant.ready(cpu);
            let with = batch(cpu)?;
            let beyond = |with: f64, before: f64| Some((with - before) / hits);
            row.cycles = beyond(with.cycles, before.cycles);
            row.instructions = beyond(with.instructions, before.instructions);
            row.mispredicts = beyond(with.mispredicts, before.mispredicts);
            row.mispredicted_returns = with
                .mispredicted_returns
                .zip(before.mispredicted_returns)
                .and_then(|(with, before)| beyond(with, before));
        }
        Ok(())
    }
}

pub fn rows(plan: &Plan, cpu: &mut Cpu, mut counters: Option<&mut Counters>) -> Result<Vec<Row>> {
    let mut chains = Chain::all();
    for round in 0..ROUNDS {
        // Said once a round: to stop as soon as it looks well would choose what looks well.
        let again = |chain: &&mut Chain| round == 0 || chain.is_noise();
        let mut wanted: Vec<&mut Chain> = chains.iter_mut().filter(again).collect();
        for _ in 0..plan.repetitions {
            for chain in &mut wanted {
                chain.repeat(plan, cpu)?;
            }
        }
    }
    let mut rows = Vec::new();
    for chain in &chains {
        let mut its = chain.rows();
        if let Some(counters) = counters.as_deref_mut() {
            chain.count(plan, cpu, counters, &mut its)?;
        }
        rows.extend(its);
    }
    Ok(rows)
}
