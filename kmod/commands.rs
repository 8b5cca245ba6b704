// SPDX-License-Identifier: GPL-2.0

//! What is done to many probes, one command at a time.
//!
//! Locks, in this order: the turn, which a command keeps to its end, minutes perhaps; the registry's,
//! which it takes for one function after another. So whoever reads, and a module that goes, wait
//! for one function, or for Tasks RCU, at most.

use super::{
    bindings::xcap_is_killed,
    btf::Types,
    calibration::Calibration,
    epoch, hook,
    life::Next,
    marking_cost::MarkingCosts,
    marks,
    probe::Probe,
    registry::REGISTRY,
    scopes,
    scoping_cost::ScopingCosts,
    subject::Subject,
    symbols::{self, c_string},
};
use crate::abi::backend::Choice;
use kernel::{
    prelude::*,
    str::{CStr, CString},
    sync::{global_lock, Arc, GlobalGuard},
};

global_lock! {
    // SAFETY: Initialised by `Armed::start`, before anything can get at it.
    pub(crate) unsafe(uninit) static TURN: Mutex<()> = ();
}

/// Waits for its turn, so that a signal can end it and no watchdog thinks that it hangs.
///
/// # Errors
///
/// `EINTR`: a signal is pending.
fn turn() -> Result<GlobalGuard<TURN>> {
    loop {
        if let Some(turn) = TURN.try_lock() {
            return Ok(turn);
        }
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

/// # Errors
///
/// `EINTR`: the task is being killed.
fn unless_killed() -> Result {
    // SAFETY: Looks at the current task.
    if unsafe { xcap_is_killed() } {
        Err(EINTR)
    } else {
        Ok(())
    }
}

/// Arms all probes that can be and are not. It is the caller's turn.
fn arm_all() -> Result {
    REGISTRY.lock().release_drained()?;
    arm_stopped()?;
    // Some hooks can't come back, and make way for another backend's.
    let mut registry = REGISTRY.lock();
    if !registry.is_draining() {
        return Ok(());
    }
    hook::synchronize();
    let released = registry.release_drained()?;
    drop(registry);
    if released {
        arm_stopped()
    } else {
        Ok(())
    }
}

/// Arms all probes that are stopped, or whose function is there now.
fn arm_stopped() -> Result {
    REGISTRY.lock().look()?;
    let mut types = Types::default();
    // From the end: where one goes meanwhile, others move up.
    let mut index = REGISTRY.lock().probes.len();
    while index > 0 {
        index -= 1;
        REGISTRY.lock().arm(index, &mut types)?;
        unless_killed()?;
    }
    Ok(())
}

/// `start`: calls count from here on. What was not armed, for an error, is when it is called again.
pub(crate) fn start() -> Result {
    let _turn = turn()?;
    start_in_turn()
}

fn start_in_turn() -> Result {
    let mut registry = REGISTRY.lock();
    let opens = !core::mem::replace(&mut registry.recording, true);
    drop(registry);
    // All count from one moment on.
    let armed = arm_all();
    if opens {
        epoch::open();
    }
    armed
}

/// `stop`: no call counts any more, nothing is hooked.
pub(crate) fn stop() -> Result {
    let _turn = turn()?;
    stop_in_turn();
    Ok(())
}

/// [`stop`] when there are no other commands any more.
pub(crate) fn stop_at_last() {
    let _turn = TURN.lock();
    stop_in_turn();
}

/// True: it had been recording.
fn stop_in_turn() -> bool {
    let mut registry = REGISTRY.lock();
    let recording = core::mem::take(&mut registry.recording);
    if recording {
        epoch::close();
    }
    drop(registry);
    let mut index = REGISTRY.lock().probes.len();
    // From the end, as above.
    while index > 0 {
        index -= 1;
        if let Some(probe) = REGISTRY.lock().probes.get_mut(index) {
            probe.disarm();
        }
    }
    recording
}

/// `reset`: forgets all samples.
pub(crate) fn reset() -> Result {
    let _turn = turn()?;
    REGISTRY.lock().reset();
    Ok(())
}

/// Does something while no call counts and nothing is hooked. Whatever comes of it, xcap records
/// again if it did.
fn while_stopped(act: impl FnOnce() -> Result) -> Result {
    let recording = stop_in_turn();
    let done = act();
    if recording {
        start_in_turn()?;
    }
    done
}

/// `calibrate`: measures anew what probes cost, and what marks do where they are on.
pub(crate) fn calibrate() -> Result {
    let _turn = turn()?;
    while_stopped(calibrate_in_turn)
}

/// Nothing is armed.
fn calibrate_in_turn() -> Result {
    epoch::open();
    let calibration = Calibration::measure();
    epoch::close();
    let marks_are_on = {
        let context = &mut REGISTRY.lock().context;
        context.calibration = Some(calibration?);
        context.marking_costs.is_some()
    };
    if marks_are_on {
        let costs = MarkingCosts::measure()?;
        REGISTRY.lock().context.marking_costs = Some(costs);
    }
    Ok(())
}

/// Takes off all hooks that are as `backend=` says, and arms others where no call is in flight.
pub(crate) fn rehook(choice: Choice) -> Result {
    let _turn = turn()?;
    while_stopped(|| {
        let mut registry = REGISTRY.lock();
        registry.context.choice = choice;
        registry.drain(Next::Renew, Probe::follows_choice);
        registry.release_drained().map(drop)
    })
}

/// `marks on`, or `off` where nothing is wanted: hooks anew what leaves marks, or is to.
pub(crate) fn mark(wanted: Option<marks::Wanted>) -> Result {
    let _turn = turn()?;
    while_stopped(|| {
        let mut registry = REGISTRY.lock();
        marks::off(&mut registry);
        registry.release_drained()?;
        drop(registry);
        wanted.map_or(Ok(()), mark_in_turn)
    })
}

/// Marks are off, and nothing is armed.
fn mark_in_turn(wanted: marks::Wanted) -> Result {
    let costs = MarkingCosts::measure()?;
    let mut registry = REGISTRY.lock();
    marks::on(&mut registry, wanted, costs)?;
    registry.release_drained().map(drop)
}

/// `only`: of the probes with these names, or of all that can tell if there are none, only what
/// `subject` caused counts; everybody's calls where there is none.
///
/// # Errors
///
/// As [`scopes::changes`], and nothing is changed.
pub(crate) fn only(subject: Option<Subject>, names: &[CString]) -> Result {
    let _turn = turn()?;
    let subject = subject
        .map(|subject| Arc::new(subject, GFP_KERNEL))
        .transpose()?;
    let mut types = Types::default();
    // What is refused stops nothing.
    let changes = scopes::changes(&REGISTRY.lock(), subject.as_ref(), names, &mut types)?;
    if changes.is_empty() {
        return Ok(());
    }
    while_stopped(|| only_in_turn(subject.as_ref(), names, &mut types))
}

/// Nothing is armed.
fn only_in_turn(subject: Option<&Arc<Subject>>, names: &[CString], types: &mut Types) -> Result {
    let costs = subject.map(|_| ScopingCosts::measure()).transpose()?;
    let mut registry = REGISTRY.lock();
    // Once more: a module may have gone.
    let changes = scopes::changes(&registry, subject, names, types)?;
    scopes::change(&mut registry, changes, costs);
    registry.release_drained().map(drop)
}

/// `transmit on`: the stages of sending are there, too.
pub(crate) fn add_transmit() -> Result {
    let _turn = turn()?;
    let mut registry = REGISTRY.lock();
    registry.add_transmit()?;
    let recording = registry.recording;
    drop(registry);
    if recording {
        arm_all()?;
    }
    Ok(())
}

/// Takes the stages of sending off, as [`take_off`] does.
pub(crate) fn take_off_transmit() -> Result {
    let _turn = turn()?;
    REGISTRY.lock().take_off_all(Probe::is_transmit)
}

/// Takes a probe off, and forgets it now or when no call returns to it.
pub(crate) fn take_off(name: &CStr) -> Result {
    let _turn = turn()?;
    REGISTRY.lock().take_off(name)
}

/// `add FUNCTION [as NAME]`.
///
/// # Errors
///
/// As [`Registry::add`].
pub(crate) fn add(function: &CStr, name: Option<&CStr>, wanted: Option<Choice>) -> Result {
    let _turn = turn()?;
    REGISTRY.lock().add(function, name, wanted)
}

/// `add PATTERN`: a probe on each function that matches and can be probed.
///
/// # Errors
///
/// `E2BIG`: more than `limit` match. `ENOENT`: none does. Nothing is added then. `EINTR`: the task
/// is being killed.
pub(crate) fn add_matching(pattern: &CStr, limit: usize, wanted: Option<Choice>) -> Result {
    let _turn = turn()?;
    let departures = REGISTRY.lock().departures;
    let mut types = Types::default();
    let mut added = 0;
    for function in symbols::matching(pattern, limit)? {
        let name = c_string(function.name.to_bytes())?;
        let mut registry = REGISTRY.lock();
        match registry.add_found(&name, function, departures, wanted, &mut types) {
            Ok(()) => added += 1,
            Err(error) if error == ENOMEM => return Err(error),
            Err(_) => {}
        }
        drop(registry);
        unless_killed()?;
    }
    if added == 0 {
        return Err(ENOENT);
    }
    Ok(())
}

/// Frees what has drained, and arms what waited for that or for a module.
pub(crate) fn advance(module_came: bool) -> Result {
    let _turn = turn()?;
    advance_in_turn(module_came)
}

fn advance_in_turn(module_came: bool) -> Result {
    let mut registry = REGISTRY.lock();
    let released = registry.release_drained()?;
    let arms = registry.recording && (released || module_came);
    drop(registry);
    if arms {
        arm_all()
    } else {
        Ok(())
    }
}

/// The same, unless it is somebody's turn. False: it is.
pub(crate) fn advance_unless_busy(module_came: bool) -> Result<bool> {
    if module_came {
        REGISTRY.lock().forget_index();
    }
    let Some(_turn) = TURN.try_lock() else {
        return Ok(false);
    };
    advance_in_turn(module_came)?;
    Ok(true)
}
