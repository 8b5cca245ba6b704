// SPDX-License-Identifier: GPL-2.0

//! What a hit costs that leaves a mark: as the module found it out, on a function of its own that is about a frame.

use crate::control::control;
use crate::guest_files::XCAP;
use crate::kernel_module;
use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use xcap_abi::backend::Backend;
use xcap_abi::paths::STATS;

/// The word of such costs in `stats`.
const MARKED: &str = "marked";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    pub backend: String,
    /// Instructions of a hit, its mark with it, beyond the unprobed call.
    pub cost: f64,
}

impl Marked {
    /// The name of its row.
    pub fn probe(&self) -> String {
        format!("xcap {}, marks on", self.backend)
    }
}

pub fn measure() -> Result<Vec<Marked>> {
    kernel_module::load(XCAP, &[])?;
    control("marks on")?;
    let first = costs()?;
    // What is measured again is the same, and marks are still on.
    control("calibrate")?;
    let again = costs()?;
    control("marks off")?;
    kernel_module::unload("xcap")?;
    if first != again {
        bail!("marks cost {first:?}, and {again:?} when calibrated again");
    }
    Ok(first)
}

fn costs() -> Result<Vec<Marked>> {
    let stats = xcap_stats::load(STATS.as_ref())?;
    let of = |backend: Backend| {
        let backend = backend.word();
        let cost = stats.costs.iter();
        let mut cost = cost.filter(|cost| cost.backend == backend && cost.cache == MARKED);
        let cost = cost
            .next()
            .with_context(|| format!("no cost of marks by {backend}"))?;
        Ok(Marked {
            backend: backend.to_owned(),
            cost: (cost.inside + cost.outside) as f64 / cost.samples.max(1) as f64,
        })
    };
    Backend::ALL.into_iter().map(of).collect()
}
