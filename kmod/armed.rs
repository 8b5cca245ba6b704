// SPDX-License-Identifier: GPL-2.0

//! From the module's load to its unload: all stages are armed.

use super::{
    clock::Clock,
    commands::{self, TURN},
    life::Next,
    parameters::{self, Stages},
    registry::REGISTRY,
    role,
};
use crate::abi::stages::STAGES;
use kernel::{
    prelude::*,
    time::{delay::fsleep, Delta},
};

/// How long others have the machine between two looks at calls in flight.
const PAUSE: Delta = Delta::from_millis(10);

/// All stages armed, until dropped.
pub(crate) struct Armed;

impl Armed {
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: Called once, before anything else locks it.
        unsafe {
            REGISTRY.init();
            TURN.init();
        }
        let armed = Self;
        let mut registry = REGISTRY.lock();
        registry.context.role = role::current();
        registry.context.choice = parameters::backend()?;
        registry.clock = Clock::check();
        let chosen = Stages::chosen()?;
        registry.add_stages(STAGES.iter().filter(|entry| chosen.include(entry.stage)))?;
        drop(registry);
        commands::calibrate()?;
        commands::start()?;
        Ok(armed)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        commands::stop_at_last();
        let mut registry = REGISTRY.lock();
        registry.drain(Next::Delete, |_| true);
        // What may sleep pins the module: these return soon, and a signal can't hurry them.
        while registry.is_draining() {
            // That counting takes memory is no error here: there will be some.
            if !matches!(registry.release_drained(), Ok(true)) {
                drop(registry);
                fsleep(PAUSE);
                registry = REGISTRY.lock();
            }
        }
        registry.clear();
    }
}
