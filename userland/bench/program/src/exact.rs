// SPDX-License-Identifier: GPL-2.0

//! Whether xcap's reports on functions of known length are true.

use crate::control::{Probe, BACKENDS};
use crate::guest_files::XCAP;
use crate::kernel_module;
use crate::targets;
use crate::work::Loop;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Calls of a function of this length: a prime number, and of long functions fewer, so that between the calls no
/// timer interrupt falls.
fn calls(length: u64) -> u64 {
    if length < 10_000 {
        1009
    } else {
        11
    }
}

/// How far a corrected mean may be from the truth, in instructions.
pub const TOLERANCE: f64 = 1.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exactness {
    /// A backend, or none: the length as the unprobed function itself shows it.
    pub backend: Option<String>,
    pub function: String,
    /// A probe was armed on a function that this one calls.
    pub nested: bool,
    pub length: u64,
    pub calls: u64,
    pub count: u64,
    pub mean: f64,
    /// Less xcap's own cost.
    pub corrected: f64,
}

impl Exactness {
    pub fn holds(&self) -> bool {
        self.count == self.calls && (self.corrected - self.length as f64).abs() <= TOLERANCE
    }
}

pub fn measure() -> Result<Vec<Exactness>> {
    let lengths = targets::lengths()?;
    // Other work of a machine that has just booted.
    Loop::default().settled();
    let mut all = Vec::new();
    for (function, &length) in &lengths {
        let calls = calls(length);
        let mean = unprobed(function, calls)? as f64 / calls as f64;
        let empty = unprobed("xcap_target_0", calls)? as f64 / calls as f64;
        all.push(Exactness {
            backend: None,
            function: function.clone(),
            nested: false,
            length,
            calls,
            count: calls,
            mean,
            corrected: mean - empty,
        });
    }
    kernel_module::load(XCAP, &[])?;
    for backend in BACKENDS {
        for (function, &length) in &lengths {
            all.push(probed(backend, function, length, false)?);
        }
        let nest = "xcap_target_nest";
        let length = *lengths.get(nest).context("no target to nest in")?;
        let _inner = Probe::add("xcap_target_100", "inner", backend)?;
        all.push(probed(backend, nest, length, true)?);
    }
    kernel_module::unload("xcap")?;
    Ok(all)
}

/// Least cycles of a run of calls: what had another task in it takes more.
fn unprobed(function: &str, calls: u64) -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..3 {
        targets::call(function, calls)?;
        least = least.min(targets::last_cycles()?);
    }
    Ok(least)
}

fn probed(backend: &str, function: &str, length: u64, nested: bool) -> Result<Exactness> {
    let calls = calls(length);
    let probe = Probe::add(function, "known", backend)?;
    targets::call(function, calls)?;
    let stage = probe.read()?;
    let mean = stage.mean.context("no samples")?;
    let corrected = stage.corrected.and_then(|c| c.mean);
    Ok(Exactness {
        backend: Some(backend.to_owned()),
        function: function.to_owned(),
        nested,
        length,
        calls,
        count: stage.count,
        mean,
        corrected: corrected.context("xcap doesn't know its own cost")?,
    })
}
