// SPDX-License-Identifier: GPL-2.0

//! The commands that wait until calls have returned to hooks, with the lock free meanwhile.

use super::{attendant, commands, own_stack::OwnStack, probe::Probe, registry::REGISTRY};
use crate::abi::backend::Choice;
use kernel::{prelude::*, str::CStr};

/// Waits until none of `awaited` drains any more, and arms anew what has drained meanwhile. What it
/// doesn't wait for is seen to.
///
/// The lock is free while it waits, so that `probes` can show why.
///
/// # Errors
///
/// `EINTR`: a signal came. What it waited for is `draining`, and goes on to.
fn wait_drained(awaited: impl Fn(&Probe) -> bool) -> Result {
    // The write that asks for it may be a call that is timed.
    let own = OwnStack::now()?;
    let awaited = |probe: &Probe| probe.is_draining() && awaited(probe) && !probe.waits_for(&own);
    let result = loop {
        if let Err(error) = commands::advance(false) {
            break Err(error);
        }
        if !REGISTRY.lock().probes.iter().any(&awaited) {
            break Ok(());
        }
        if let Err(error) = commands::pause() {
            break Err(error);
        }
    };
    attendant::see_to_draining();
    result
}

/// `backend=…`: hooks all probes anew that have no backend of their own.
///
/// # Errors
///
/// `EINTR`: a signal came; those that it waited for are `draining`, and are armed when they have.
pub(crate) fn choose(choice: Choice) -> Result {
    commands::rehook(choice)?;
    wait_drained(|probe| !probe.is_leaving())
}

/// `del NAME`: takes a probe off, waits until no call will return to it, forgets it.
///
/// # Errors
///
/// `ENOENT`: there is none of that name. `EINTR`: a signal came; the probe is `draining`, and goes
/// when it has.
pub(crate) fn delete(name: &CStr) -> Result {
    commands::take_off(name)?;
    wait_drained(|probe| probe.is_leaving() && *probe.name == *name)
}

/// `transmit off`: the same with the stages of sending.
///
/// # Errors
///
/// As [`delete`], but none if they are not there.
pub(crate) fn delete_transmit() -> Result {
    commands::take_off_transmit()?;
    wait_drained(|probe| probe.is_leaving() && probe.is_transmit())
}
