// SPDX-License-Identifier: GPL-2.0

//! What a hit costs with each tool.

use crate::guest_files::XCAP;
use crate::kernel_module;
use crate::targets::{self, KNOWN};
use crate::tool::{Reading, Tool};
use crate::work::{Loop, CALLS, UMASK};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// After the first hook is seen, tools go on attaching for a while. Costs no time on the deterministic machine.
const ATTACHED: Duration = Duration::from_secs(2);

/// Calls of the function of known length.
const KNOWN_CALLS: u64 = 10_007;

/// One row: a tool on `umask()` and on a function of known length.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    pub probe: String,
    /// Instructions of an unprobed call, measured just before.
    pub unprobed: f64,
    pub outcome: Result<Cost, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions of a probed call.
    pub instructions: f64,
    pub calls: u64,
    /// Calls that the tool did not count.
    pub lost: u64,
    pub arm_ms: f64,
    pub memory_kib: u64,
    /// What the tool says of the function of known length, or why it says nothing.
    pub known: Result<Reading, String>,
}

impl Hit {
    /// Instructions that the probe adds to a call; none if it doesn't work.
    pub fn beyond_unprobed(&self) -> Option<f64> {
        let cost = self.outcome.as_ref().ok()?;
        Some(cost.instructions - self.unprobed)
    }
}

pub fn measure(tools: &[(String, Tool)]) -> Result<Vec<Hit>> {
    tools.iter().map(|(name, tool)| row(name, tool)).collect()
}

fn row(name: &str, tool: &Tool) -> Result<Hit> {
    let unprobed = Loop::default().settled();
    let is_xcap = matches!(tool, Tool::Xcap { .. });
    if is_xcap {
        kernel_module::load(XCAP, &[])?;
    }
    let cost = cost(tool);
    if is_xcap {
        kernel_module::unload("xcap")?;
    }
    Ok(Hit {
        probe: name.to_owned(),
        unprobed,
        outcome: cost.map_err(|e| format!("{e:#}")),
    })
}

fn cost(tool: &Tool) -> Result<Cost> {
    let begin = Instant::now();
    let armed = tool.arm(UMASK)?;
    let arm_ms = begin.elapsed().as_secs_f64() * 1000.0;
    std::thread::sleep(ATTACHED);
    let mut calls = Loop::default();
    let instructions = calls.settled();
    let memory_kib = armed.memory_kib()?;
    let reading = armed.finish()?;
    Ok(Cost {
        instructions,
        calls: calls.calls,
        lost: calls.calls.saturating_sub(reading.count),
        arm_ms,
        memory_kib,
        known: known(tool).map_err(|e| format!("{e:#}")),
    })
}

fn known(tool: &Tool) -> Result<Reading> {
    let armed = tool.arm(KNOWN)?;
    std::thread::sleep(ATTACHED);
    // As warm as what it is compared with.
    targets::call(KNOWN, CALLS)?;
    targets::call(KNOWN, KNOWN_CALLS)?;
    armed.finish()
}
