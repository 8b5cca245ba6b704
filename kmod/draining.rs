// SPDX-License-Identifier: GPL-2.0

//! The commands that wait until calls have returned to hooks, with the lock free meanwhile.

use super::{probe::Probe, registry::REGISTRY};
use crate::abi::backend::Choice;
use kernel::{prelude::*, str::CStr};

/// Waits until none of `awaited` drains any more, and arms anew what has drained meanwhile.
///
/// The lock is free while it waits, so that `probes` can show why.
///
/// # Errors
///
/// `EINTR`: a signal came. What it waited for is `draining`, and goes on to.
fn wait_drained(awaited: impl Fn(&Probe) -> bool) -> Result {
    loop {
        let mut registry = REGISTRY.lock();
        if registry.release_drained()? && registry.recording {
            registry.arm_all()?;
        }
        let mut probes = registry.probes.iter();
        if !probes.any(|probe| probe.is_draining() && awaited(probe)) {
            return Ok(());
        }
        drop(registry);
        pause()?;
    }
}

/// Lets others run for a while.
///
/// # Errors
///
/// `EINTR`: a signal is pending.
pub(crate) fn pause() -> Result {
    const MILLISECONDS: u32 = 10;
    // SAFETY: Called from process context, with no spinlock held.
    if unsafe { kernel::bindings::msleep_interruptible(MILLISECONDS) } > 0 {
        Err(EINTR)
    } else {
        Ok(())
    }
}

/// `backend=…`: hooks all probes anew that have no backend of their own.
///
/// # Errors
///
/// `EINTR`: a signal came; those that it waited for are `draining`, and another `backend=` goes on.
pub(crate) fn choose(choice: Choice) -> Result {
    REGISTRY.lock().rehook(choice)?;
    wait_drained(|probe| !probe.is_leaving())
}

/// `del NAME`: takes a probe off, waits until no call will return to it, forgets it.
///
/// # Errors
///
/// `ENOENT`: there is none of that name. `EINTR`: a signal came; the probe is `draining`, another
/// `del` goes on waiting.
pub(crate) fn delete(name: &CStr) -> Result {
    REGISTRY.lock().take_off(name)?;
    wait_drained(|probe| probe.is_leaving() && *probe.name == *name)
}
