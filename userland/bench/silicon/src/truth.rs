// SPDX-License-Identifier: GPL-2.0

//! Whether the reports are true: functions of known length, corrected.

use crate::calls::warm;
use crate::cpu::{Costs, Cpu, Reading};
use crate::layout::{DEPTHS, WORK};
use crate::plan::Plan;
use crate::record::{Calibrated, Truth};
use crate::statistics::median;
use crate::unit::{Driver, Returns, Unit, KINDS, LEAVES};
use crate::variant::Variant;
use anyhow::{ensure, Result};

/// As the module calibrates (kmod/calibration.rs): the cheapest of so many batches of so many calls.
const BATCH: u64 = 64;
const BATCHES: u32 = 64;

/// Slots of the leaf and of its outermost caller.
const LEAF: usize = 0;
const OUTER: usize = 1;

/// Ticks of a batch: within samples, beyond the functions themselves, and in all.
struct Calibration {
    inside: u64,
    whole: u64,
    costs: Costs,
}

/// The cheapest batch's ticks, and those of them within samples.
fn cheapest(cpu: &mut Cpu, driver: Driver) -> (u64, u64) {
    let batch = |cpu: &mut Cpu| {
        let before = cpu.read(LEAF).sum;
        // SAFETY: What is installed found its memory ready.
        let whole = unsafe { cpu.run(driver, BATCH) };
        (whole, cpu.read(LEAF).sum - before)
    };
    (0..BATCHES).map(|_| batch(cpu)).min().unwrap_or_default()
}

fn calibrate(variant: Variant, unit: &Unit, cpu: &mut Cpu) -> Result<Calibration> {
    let probed = |cpu: &mut Cpu, site, driver| {
        let _patches = variant.probe(unit, site, LEAF)?;
        variant.ready(cpu);
        anyhow::Ok(cheapest(cpu, driver))
    };
    let (empty, _) = cheapest(cpu, unit.empty);
    let (known, _) = cheapest(cpu, unit.call_known);
    let (probed_empty, _) = probed(cpu, unit.leaves[0], unit.empty)?;
    let (_, samples) = probed(cpu, unit.known, unit.call_known)?;
    let whole = probed_empty.saturating_sub(empty);
    let length = known.saturating_sub(empty);
    let inside = samples.saturating_sub(length).min(whole);
    let each = |ticks: u64| ((ticks + BATCH / 2) / BATCH) as u32;
    Ok(Calibration {
        inside,
        whole,
        costs: Costs {
            whole: each(whole),
            outside: each(whole) - each(inside),
        },
    })
}

/// The mean, and what xcap-read makes of it: less the floor of its own probe and the cost of those
/// nested in it.
fn report(reading: &Reading, calibration: &Calibration) -> Result<(f64, f64)> {
    ensure!(
        reading.done > 0 && reading.done == reading.entries,
        "a function of known length was entered {} times, and {} samples were kept",
        reading.entries,
        reading.done
    );
    let each = |sum: u64| sum as f64 / reading.done as f64;
    let mean = each(reading.sum);
    let floor = calibration.inside as f64 / BATCH as f64;
    Ok((mean, mean - floor - each(reading.nested_cost)))
}

/// Ticks of a call with nothing beside it.
///
/// # Safety
///
/// Nothing is probed.
unsafe fn isolated(plan: &Plan, cpu: &mut Cpu, driver: Driver) -> f64 {
    // SAFETY: The caller's promise.
    unsafe {
        cpu.run(driver, plan.warm_up());
        let ticks: u64 = (0..plan.calls).map(|_| cpu.run_alone(driver)).sum();
        ticks as f64 / plan.calls as f64
    }
}

/// One function in one place, over the repetitions.
#[derive(Default)]
struct Series {
    true_ticks: Vec<f64>,
    mean: Vec<f64>,
    corrected: Vec<f64>,
}

impl Series {
    fn push(&mut self, true_ticks: f64, (mean, corrected): (f64, f64)) {
        self.true_ticks.push(true_ticks);
        self.mean.push(mean);
        self.corrected.push(corrected);
    }
}

struct Place<'a> {
    plan: &'a Plan,
    unit: &'static Unit,
    variant: Variant,
    depth: usize,
    /// Index in the unit's leaves.
    leaf: usize,
}

impl Place<'_> {
    /// The leaf alone, then its outermost caller around it.
    fn repeat(
        &self,
        cpu: &mut Cpu,
        calibration: &Calibration,
        leaf: &mut Series,
        enclosing: &mut Series,
    ) -> Result<()> {
        let Self {
            plan,
            unit,
            variant,
            depth,
            leaf: index,
        } = *self;
        let chain = &unit.nested[depth][index];
        // A leaf is as long at any depth: under the fewest callers it can be seen best.
        let shallow = &unit.nested[0];
        // SAFETY: Nothing is probed.
        let [whole, alone, without, empty] = unsafe {
            [
                chain.driver,
                shallow[index].driver,
                shallow[0].driver,
                unit.empty,
            ]
            .map(|driver| isolated(plan, cpu, driver))
        };
        let _leaf = variant.probe(unit, unit.leaves[index], LEAF)?;
        let probed = |cpu: &mut Cpu, slot| {
            variant.ready(cpu);
            for slot in [LEAF, OUTER] {
                cpu.set_constants(slot, calibration.costs);
            }
            // SAFETY: The memory is as the variant wants it.
            unsafe { warm(plan, cpu, chain.driver) };
            report(&cpu.read(slot), calibration)
        };
        leaf.push(alone - without, probed(cpu, LEAF)?);
        let _outer = variant.probe(unit, chain.outer, OUTER)?;
        enclosing.push(whole - empty, probed(cpu, OUTER)?);
        Ok(())
    }

    fn truth(&self, returns: Returns, function: &str, series: &Series) -> Truth {
        let index = self.leaf.checked_sub(1);
        let true_ticks = median(&series.true_ticks);
        let corrected = median(&series.corrected);
        Truth {
            variant: self.variant.word().to_owned(),
            return_thunks: returns.word().to_owned(),
            depth: DEPTHS[self.depth],
            function: function.to_owned(),
            work: index.map_or(0, |at| WORK[at / KINDS.len()]),
            kind: index
                .map_or("empty", |at| KINDS[at % KINDS.len()])
                .to_owned(),
            true_ticks,
            mean: median(&series.mean),
            corrected,
            holds: Truth::holds(true_ticks, corrected),
        }
    }
}

/// Calls in a batch, at most: so few that most batches see no interrupt, which would be in a mean.
const CALLS: u64 = 101;

pub fn measure(plan: &Plan, cpu: &mut Cpu) -> Result<(Vec<Calibrated>, Vec<Truth>)> {
    let plan = &Plan {
        calls: plan.calls.min(CALLS),
        ..plan.clone()
    };
    let (mut calibrated, mut truth) = (Vec::new(), Vec::new());
    for returns in [Returns::Plain, Returns::SafeRet] {
        let unit = returns.unit();
        for variant in Variant::ours() {
            let calibration = calibrate(variant, unit, cpu)?;
            calibrated.push(Calibrated {
                variant: variant.word().to_owned(),
                return_thunks: returns.word().to_owned(),
                inside: calibration.inside as f64 / BATCH as f64,
                whole: calibration.whole as f64 / BATCH as f64,
            });
            for depth in 0..DEPTHS.len() {
                for leaf in 0..LEAVES {
                    let place = Place {
                        plan,
                        unit,
                        variant,
                        depth,
                        leaf,
                    };
                    let (mut alone, mut enclosing) = (Series::default(), Series::default());
                    for _ in 0..plan.repetitions {
                        place.repeat(cpu, &calibration, &mut alone, &mut enclosing)?;
                    }
                    truth.push(place.truth(returns, "leaf", &alone));
                    truth.push(place.truth(returns, "outer", &enclosing));
                }
            }
        }
    }
    Ok((calibrated, truth))
}
