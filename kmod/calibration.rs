// SPDX-License-Identifier: GPL-2.0

//! What xcap's own probes cost, measured on an empty function.

use super::{
    bindings::{xcap_empty, xcap_irq_restore, xcap_irq_save},
    cells::Cells,
    cpu, direct,
    hook::Hook,
    stages::Work,
    target::{Costs, Target},
    totals::Totals,
};
use crate::abi::{backend::Backend, state::State};
use kernel::prelude::*;

/// Calls in a batch: enough to hide what reading the clock costs.
const BATCH: u64 = 64;

/// Batches, of which the cheapest counts: the others were interrupted.
const BATCHES: u32 = 64;

/// Calls with cold caches.
const COLD_CALLS: u32 = 32;

/// Memory that is read to make the caches cold.
const COLD_BYTES: usize = 1 << 20;

/// What a backend's probe costs.
pub(crate) struct Measured {
    pub(crate) backend: Backend,
    /// What it reports for an empty function, its floor: all samples.
    pub(crate) hot: Totals,
    pub(crate) cold: Totals,
    pub(crate) hot_cost: Cost,
    pub(crate) cold_cost: Cost,
}

/// What some hits cost in all.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) hits: u64,
    /// Cycles within their samples.
    pub(crate) inside: u64,
    /// All cycles beyond those of as many calls that are not probed.
    pub(crate) whole: u64,
}

/// What all of them cost. A backend that this kernel has not is left out.
pub(crate) struct Calibration {
    pub(crate) measured: KVec<Measured>,
}

fn batch() -> u64 {
    // SAFETY: Restored below.
    let flags = unsafe { xcap_irq_save() };
    let begin = cpu::rdtsc();
    for _ in 0..BATCH {
        // SAFETY: The function does nothing.
        unsafe { xcap_empty() };
    }
    let whole = cpu::rdtsc().wrapping_sub(begin);
    // SAFETY: Saved above, on this CPU.
    unsafe { xcap_irq_restore(flags) };
    whole
}

/// The cheapest batch's cycles, and those of them within samples.
fn cheapest_batch(cells: Option<&Cells>) -> Result<(u64, u64)> {
    let sum = || cells.map_or(Ok(0), |cells| Ok::<_, Error>(cells.totals()?.sum as u64));
    let mut best = (u64::MAX, 0);
    for _ in 0..BATCHES {
        let before = sum()?;
        let whole = batch();
        let inside = sum()?.wrapping_sub(before);
        best = best.min((whole, inside));
    }
    Ok(best)
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
        // SAFETY: The function does nothing.
        unsafe { xcap_empty() };
        whole = whole.wrapping_add(cpu::rdtsc().wrapping_sub(begin));
        // SAFETY: Saved above, on this CPU.
        unsafe { xcap_irq_restore(flags) };
    }
    whole
}

/// What a backend reports for the empty function, under the name `stage`.
fn floor(stage: &'static str, backend: Backend, totals: Totals) -> Totals {
    Totals {
        stage,
        function: Some("xcap_empty"),
        backend: Some(backend.word()),
        state: State::Stopped.word(),
        ..totals
    }
}

impl Measured {
    fn measure(backend: Backend, memory: &mut KVVec<u8>) -> Result<Self> {
        let target = Target {
            address: xcap_empty as *const () as usize,
            sleeps: false,
            is_stage: true,
            returns_wide: false,
            work: Work::None,
            costs: Costs::default(),
        };
        let (unprobed, _) = cheapest_batch(None)?;
        let unprobed_cold = cold_calls(memory);
        let cells = Cells::new()?;
        let mut hook = Hook::arm(backend, &target, &cells)?;
        let (whole, inside) = cheapest_batch(Some(&cells))?;
        let hot = cells.totals()?;
        cells.reset();
        let whole_cold = cold_calls(memory);
        let cold = cells.totals()?;
        if let Hook::Direct(hook) = &mut hook {
            hook.disarm();
            direct::synchronize();
        }
        drop(hook);
        Ok(Self {
            backend,
            hot_cost: Cost {
                hits: BATCH,
                inside,
                whole: whole.saturating_sub(unprobed),
            },
            cold_cost: Cost {
                hits: cold.count,
                inside: cold.sum as u64,
                whole: whole_cold.saturating_sub(unprobed_cold),
            },
            hot: floor("floor_hot", backend, hot),
            cold: floor("floor_cold", backend, cold),
        })
    }

    /// Cycles of a hit with hot caches, to the nearest.
    fn costs(&self) -> Costs {
        let Cost {
            hits,
            inside,
            whole,
        } = self.hot_cost;
        let whole = (whole + hits / 2) / hits;
        let inside = ((inside + hits / 2) / hits).min(whole);
        Costs {
            inside: inside as u32,
            outside: (whole - inside) as u32,
        }
    }
}

impl Calibration {
    /// Measures all backends, on a function of xcap's own. The epoch is open.
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

    pub(crate) fn costs(&self, backend: Backend) -> Option<Costs> {
        self.measured
            .iter()
            .find(|measured| measured.backend == backend)
            .map(Measured::costs)
    }
}
