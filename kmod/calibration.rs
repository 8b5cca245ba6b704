// SPDX-License-Identifier: GPL-2.0

//! What xcap's own probes cost, measured on functions of its own.
//!
//! All that a hit costs shows at an empty function. What it adds to a sample does not: reading the
//! clock keeps a processor for some 24 ticks, which run beside a function that is longer. So that
//! is measured on a function that is longer, less its length.

use super::{
    bindings::{xcap_empty, xcap_empty_under, xcap_irq_restore, xcap_irq_save, xcap_known},
    cells::Cells,
    cpu,
    hook::Hook,
    marking::Marking,
    scope::Scope,
    sort::sort,
    target::{Costs, Target},
    totals::Totals,
};
use crate::abi::{backend::Backend, stages::Work, state::State};
use kernel::prelude::*;

/// Calls in a batch: enough to hide what reading the clock costs.
const BATCH: u64 = 64;

/// Batches, of which the cheapest counts: the others were interrupted.
const BATCHES: usize = 64;

/// Functions of xcap's own that an empty function is called through: a processor predicts their
/// returns by the calls it has seen, and a probe can shift those.
const CALLERS: [u32; 2] = [4, 16];

/// Calls with cold caches.
const COLD_CALLS: u32 = 32;

/// Memory that is read to make the caches cold.
const COLD_BYTES: usize = 1 << 20;

/// What a backend's probe costs.
pub(crate) struct Measured {
    pub(crate) backend: Backend,
    /// What it reports for an empty function, its floor: all samples.
    pub(crate) hot: Totals,
    /// What it reports for the function of known length.
    pub(crate) known: Totals,
    pub(crate) cold: Totals,
    pub(crate) hot_cost: Cost,
    pub(crate) cold_cost: Cost,
    /// By how many callers, hot.
    pub(crate) under: [Under; CALLERS.len()],
}

/// What a backend's probe costs under some callers.
pub(crate) struct Under {
    /// Its name in `# cost`.
    pub(crate) word: &'static str,
    pub(crate) samples: Totals,
    pub(crate) cost: Cost,
}

/// What some hits cost in all.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) hits: u64,
    /// Cycles within their samples.
    pub(crate) inside: u64,
    /// All cycles beyond those of as many calls that are not probed.
    pub(crate) whole: u64,
    /// What a quarter of the batches did not exceed, the two as above; of batches only.
    pub(crate) quartile: Option<(u64, u64)>,
}

/// What all of them cost. A backend that this kernel has not is left out.
pub(crate) struct Calibration {
    pub(crate) measured: KVec<Measured>,
}

fn empty() {
    // SAFETY: The function does nothing.
    unsafe { xcap_empty() };
}

fn empty_under(callers: u32) {
    // SAFETY: Nothing but to call itself so often; the stack has room for that.
    unsafe { xcap_empty_under(callers) };
}

fn known() {
    // SAFETY: The function multiplies in a register.
    unsafe { xcap_known() };
}

fn batch(call: impl Fn()) -> u64 {
    // SAFETY: Restored below.
    let flags = unsafe { xcap_irq_save() };
    let begin = cpu::rdtsc();
    for _ in 0..BATCH {
        call();
    }
    let whole = cpu::rdtsc().wrapping_sub(begin);
    // SAFETY: Saved above, on this CPU.
    unsafe { xcap_irq_restore(flags) };
    whole
}

/// Cycles of each batch of calls, and those of them within samples; the cheapest first.
pub(crate) fn batches(call: impl Fn(), cells: Option<&Cells>) -> Result<KVec<(u64, u64)>> {
    let sum = || cells.map_or(Ok(0), |cells| Ok::<_, Error>(cells.totals()?.sum as u64));
    let mut batches = KVec::with_capacity(BATCHES, GFP_KERNEL)?;
    for _ in 0..BATCHES {
        let before = sum()?;
        let whole = batch(&call);
        let inside = sum()?.wrapping_sub(before);
        batches.push((whole, inside), GFP_KERNEL)?;
    }
    sort(&mut batches);
    Ok(batches)
}

/// What the batches' hits cost beyond as many calls that are not probed.
pub(crate) fn cost(probed: &[(u64, u64)], unprobed: &[(u64, u64)]) -> Cost {
    let beyond = |(whole, inside): (u64, u64)| (whole.saturating_sub(unprobed[0].0), inside);
    let (whole, inside) = beyond(probed[0]);
    let (quarter_whole, quarter_inside) = beyond(probed[BATCHES / 4]);
    Cost {
        hits: BATCH,
        inside,
        whole,
        quartile: Some((quarter_inside.max(inside), quarter_whole)),
    }
}

impl Cost {
    /// With what the samples of `known` are beyond its length, all its calls' together.
    fn inside_of(self, known: &[(u64, u64)], length: u64) -> Self {
        let inside = |batch: usize| known[batch].1.saturating_sub(length).min(self.whole);
        let quarter = inside(BATCHES / 4).max(inside(0));
        Self {
            inside: inside(0),
            quartile: self.quartile.map(|(_, whole)| (quarter, whole)),
            ..self
        }
    }
}

/// Cycles of the cold calls, all together.
fn cold_calls(memory: &mut KVVec<u8>) -> u64 {
    let mut whole = 0u64;
    for round in 0..COLD_CALLS {
        for line in memory.iter_mut().step_by(64) {
            // Read and written, so that the compiler has to.
            *line = core::hint::black_box(*line).wrapping_add(round as u8);
        }
        // SAFETY: Restored below.
        let flags = unsafe { xcap_irq_save() };
        let begin = cpu::rdtsc();
        empty();
        whole = whole.wrapping_add(cpu::rdtsc().wrapping_sub(begin));
        // SAFETY: Saved above, on this CPU.
        unsafe { xcap_irq_restore(flags) };
    }
    whole
}

/// What a backend reports for one of these functions, under the name `stage`.
fn floor(stage: &'static str, function: &'static str, backend: Backend, totals: Totals) -> Totals {
    Totals {
        stage,
        function: Some(function),
        backend: Some(backend.word()),
        state: State::Stopped.word(),
        ..totals
    }
}

/// Does something while a function of xcap's own is probed, and nothing else.
pub(crate) fn probed<T>(
    backend: Backend,
    address: *const (),
    marking: Option<Marking>,
    scope: Option<Scope>,
    measure: impl FnOnce(&Cells) -> Result<T>,
) -> Result<T> {
    let target = Target {
        address: address as usize,
        sleeps: false,
        is_stage: true,
        returns_wide: false,
        work: Work::None,
        costs: Costs::default(),
        marking,
        scope,
    };
    let cells = Cells::new()?;
    let mut hook = Hook::arm(backend, &target, &cells)?;
    let measured = measure(&cells);
    if let Hook::Direct(hook) = &mut hook {
        // Without Tasks RCU, which takes longer than all the rest: nobody else calls these
        // functions, so that nobody is in the trampoline any more.
        hook.disarm();
    }
    drop(hook);
    measured
}

impl Measured {
    fn measure(backend: Backend, memory: &mut KVVec<u8>) -> Result<Self> {
        let unprobed = batches(empty, None)?;
        let unprobed_known = batches(known, None)?;
        let unprobed_under = [
            batches(|| empty_under(CALLERS[0]), None)?,
            batches(|| empty_under(CALLERS[1]), None)?,
        ];
        let unprobed_cold = cold_calls(memory);
        let of_empty = |stage, totals| floor(stage, "xcap_empty", backend, totals);
        let on_empty = |cells: &Cells| {
            let hot_cost = cost(&batches(empty, Some(cells))?, &unprobed);
            let hot = cells.totals()?;
            cells.reset();
            let whole_cold = cold_calls(memory);
            let cold = cells.totals()?;
            let under = |index: usize, word, stage| {
                cells.reset();
                let probed = batches(|| empty_under(CALLERS[index]), Some(cells))?;
                Ok::<_, Error>(Under {
                    word,
                    samples: of_empty(stage, cells.totals()?),
                    cost: cost(&probed, &unprobed_under[index]),
                })
            };
            let under = [
                under(0, "hot_under_4", "floor_hot_under_4")?,
                under(1, "hot_under_16", "floor_hot_under_16")?,
            ];
            let cold_cost = Cost {
                hits: cold.count,
                inside: cold.sum as u64,
                whole: whole_cold.saturating_sub(unprobed_cold),
                quartile: None,
            };
            Ok((hot, hot_cost, cold, cold_cost, under))
        };
        let (hot, hot_cost, cold, cold_cost, under) =
            probed(backend, xcap_empty as *const (), None, None, on_empty)?;
        let on_known = |cells: &Cells| Ok((batches(known, Some(cells))?, cells.totals()?));
        let (probed_known, samples) =
            probed(backend, xcap_known as *const (), None, None, on_known)?;
        let length = unprobed_known[0].0.saturating_sub(unprobed[0].0);
        Ok(Self {
            backend,
            hot_cost: hot_cost.inside_of(&probed_known, length),
            cold_cost,
            under,
            hot: of_empty("floor_hot", hot),
            known: floor("hot_known", "xcap_known", backend, samples),
            cold: of_empty("floor_cold", cold),
        })
    }
}

impl Cost {
    /// Cycles of one hit, to the nearest.
    pub(crate) fn of_one(self) -> Costs {
        let Cost {
            hits,
            inside,
            whole,
            ..
        } = self;
        let whole = (whole + hits / 2) / hits;
        let inside = ((inside + hits / 2) / hits).min(whole);
        Costs {
            inside: inside as u32,
            outside: (whole - inside) as u32,
            away: 0,
        }
    }
}

impl Calibration {
    /// Measures all backends, on functions of xcap's own. The epoch is open.
    pub(crate) fn measure() -> Result<Self> {
        let mut memory = KVVec::from_elem(0, COLD_BYTES, GFP_KERNEL)?;
        let mut measured = KVec::new();
        for backend in Backend::ALL {
            match Measured::measure(backend, &mut memory) {
                Ok(result) => measured.push(result, GFP_KERNEL)?,
                Err(error) if error == ENOMEM => return Err(error),
                Err(error) => {
                    pr_warn!(
                        "backend {}: can't be calibrated ({error:?})\n",
                        backend.word()
                    )
                }
            }
        }
        Ok(Self { measured })
    }

    /// What a hit costs with hot caches.
    pub(crate) fn hot(&self, backend: Backend) -> Option<Cost> {
        self.measured
            .iter()
            .find(|measured| measured.backend == backend)
            .map(|measured| measured.hot_cost)
    }
}
