// SPDX-License-Identifier: GPL-2.0

//! From the module's load to its unload: all stages are armed.

use super::{
    clock::Clock, draining::pause, life::Next, parameters, probe::Probe, registry::REGISTRY, role,
    stages::STAGES,
};
use kernel::prelude::*;

/// All stages armed, until dropped.
pub(crate) struct Armed;

impl Armed {
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: Called once, before anything else locks it.
        unsafe { REGISTRY.init() };
        let armed = Self;
        let mut registry = REGISTRY.lock();
        registry.context.role = role::current();
        registry.context.choice = parameters::backend()?;
        registry.clock = Clock::check();
        for entry in &STAGES {
            registry.probes.push(Probe::of_stage(entry)?, GFP_KERNEL)?;
        }
        registry.calibrate()?;
        registry.start()?;
        drop(registry);
        Ok(armed)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        let mut registry = REGISTRY.lock();
        registry.stop();
        registry.drain(Next::Delete, |_| true);
        // What may sleep pins the module: these return soon, and a signal can't hurry them.
        // That counting takes memory is no error here either: there will be some.
        while registry.probes.iter().any(Probe::is_draining) {
            if !matches!(registry.release_drained(), Ok(true)) {
                let _ = pause();
            }
        }
        registry.clear();
    }
}
