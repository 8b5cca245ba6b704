// SPDX-License-Identifier: GPL-2.0

//! All probes, and what is done to them.

use super::{
    btf::Types,
    calibration::Calibration,
    clock::Clock,
    context::ArmingContext,
    epoch, hook,
    life::Next,
    probe::Probe,
    refusal::Refusal,
    symbols::{self, Function, Index, Resolver},
};
use crate::abi::{backend::Choice, role::Role};
use kernel::{prelude::*, str::CStr, sync::global_lock};

/// All that is behind the lock.
pub(crate) struct Registry {
    pub(crate) context: ArmingContext,
    pub(crate) clock: Clock,
    pub(crate) probes: KVec<Probe>,
    pub(crate) recording: bool,
    /// Made for the first `add`.
    index: Option<Index>,
}

global_lock! {
    // SAFETY: Initialised by `Armed::start`, before anything can get at it.
    pub(crate) unsafe(uninit) static REGISTRY: Mutex<Registry> = Registry {
        context: ArmingContext {
            role: Role::Bare,
            choice: Choice::Auto,
            calibration: None,
        },
        clock: Clock::UNKNOWN,
        probes: KVec::new(),
        recording: false,
        index: None,
    };
}

impl Registry {
    fn position(&self, name: &CStr) -> Option<usize> {
        self.probes.iter().position(|probe| *probe.name == *name)
    }

    /// Arms all probes that can be and are not.
    pub(crate) fn arm_all(&mut self) -> Result {
        self.release_drained()?;
        self.arm_stopped()?;
        // Some hooks can't come back, and make way for another backend's.
        if self.probes.iter().any(Probe::is_draining) {
            hook::synchronize();
            if self.release_drained()? {
                self.arm_stopped()?;
            }
        }
        Ok(())
    }

    /// Arms all probes that are stopped, or whose function is there now.
    fn arm_stopped(&mut self) -> Result {
        let mut resolver = Resolver::new();
        for probe in self.probes.iter_mut() {
            probe.look(self.context.role, &mut resolver)?;
        }
        drop(resolver);
        let mut types = Types::default();
        for probe in self.probes.iter_mut() {
            probe.arm(&self.context, &mut types)?;
        }
        Ok(())
    }

    /// `start`: calls count from here on.
    pub(crate) fn start(&mut self) -> Result {
        if self.recording {
            return Ok(());
        }
        self.recording = true;
        // All count from one moment on.
        let armed = self.arm_all();
        epoch::open();
        armed
    }

    /// `stop`: no call counts any more, nothing is hooked.
    pub(crate) fn stop(&mut self) {
        if !self.recording {
            return;
        }
        self.recording = false;
        epoch::close();
        for probe in self.probes.iter_mut() {
            probe.disarm();
        }
    }

    /// `reset`: forgets all samples.
    pub(crate) fn reset(&mut self) {
        if self.recording {
            epoch::close();
        }
        for probe in self.probes.iter_mut() {
            probe.reset();
        }
        if self.recording {
            epoch::open();
        }
    }

    /// Has what is left of the hooks of `chosen` freed once no call returns through it.
    pub(crate) fn drain(&mut self, next: Next, chosen: impl Fn(&Probe) -> bool) {
        let mut draining = false;
        for probe in self.probes.iter_mut().filter(|probe| chosen(probe)) {
            draining |= probe.drain(next);
        }
        if draining {
            hook::synchronize();
        }
    }

    /// Frees what is left of hooks that no call returns through any more. True if there was any.
    pub(crate) fn release_drained(&mut self) -> Result<bool> {
        let mut drained = KVec::new();
        for (index, probe) in self.probes.iter().enumerate() {
            if probe.has_drained()? {
                drained.push(index, GFP_KERNEL)?;
            }
        }
        if drained.is_empty() {
            return Ok(false);
        }
        hook::synchronize();
        // From the end: what follows a probe that goes moves up.
        for &index in drained.iter().rev() {
            if !self.probes[index].release() {
                self.probes.remove(index).map_err(|_| ENOENT)?;
            }
        }
        Ok(true)
    }

    /// `calibrate`: measures anew what probes cost.
    pub(crate) fn calibrate(&mut self) -> Result {
        let recording = self.recording;
        self.stop();
        epoch::open();
        let calibration = Calibration::measure();
        epoch::close();
        self.context.calibration = Some(calibration?);
        if recording {
            self.start()
        } else {
            Ok(())
        }
    }

    /// One more probe, on a function that was resolved.
    fn add_one(
        &mut self,
        name: &CStr,
        function: Function,
        wanted: Option<Choice>,
        types: &mut Types,
    ) -> Result {
        if self.position(name).is_some() {
            return Err(EEXIST);
        }
        // What a hit runs through can't be hit itself.
        if function.module.as_deref() == Some(c"xcap") {
            return Err(EINVAL);
        }
        let mut probe = Probe::of_function(name, function, wanted)?;
        // Once it is armed, nothing may fail.
        self.probes.reserve(1, GFP_KERNEL)?;
        if self.recording {
            probe.arm(&self.context, types)?;
            if !probe.is_armed() {
                return Err(probe.why().map_or(EINVAL, Refusal::error));
            }
        }
        self.probes.push(probe, GFP_KERNEL)?;
        Ok(())
    }

    /// `add FUNCTION [as NAME]`.
    ///
    /// # Errors
    ///
    /// `EEXIST`: the name is in use. `ENOENT`: no such function. `EINVAL`: it can't be probed.
    /// `EADDRNOTAVAIL`: several functions have the name.
    pub(crate) fn add(
        &mut self,
        function: &CStr,
        name: Option<&CStr>,
        wanted: Option<Choice>,
    ) -> Result {
        let name = name.unwrap_or(function);
        if self.position(name).is_some() {
            return Err(EEXIST);
        }
        if self.index.is_none() {
            self.index = Some(Index::new()?);
        }
        let index = self.index.as_ref().ok_or(ENOENT)?;
        let found = index.resolve(function)?;
        self.add_one(name, found, wanted, &mut Types::default())
    }

    /// `add PATTERN`: a probe on each function that matches and can be probed.
    ///
    /// # Errors
    ///
    /// `E2BIG`: more than `limit` match. `ENOENT`: none does. Nothing is added then.
    pub(crate) fn add_matching(
        &mut self,
        pattern: &CStr,
        limit: usize,
        wanted: Option<Choice>,
    ) -> Result {
        let mut types = Types::default();
        let mut added = 0;
        for function in symbols::matching(pattern, limit)? {
            let name = symbols::c_string(function.name.to_bytes())?;
            match self.add_one(&name, function, wanted, &mut types) {
                Ok(()) => added += 1,
                Err(error) if error == ENOMEM => return Err(error),
                Err(_) => {}
            }
        }
        if added == 0 {
            return Err(ENOENT);
        }
        Ok(())
    }

    /// A driver came: arms what waited for it.
    pub(crate) fn module_came(&mut self) -> Result {
        self.index = None;
        if self.recording {
            self.arm_all()
        } else {
            Ok(())
        }
    }

    /// A driver goes.
    pub(crate) fn module_goes(&mut self, module: &CStr) {
        self.index = None;
        for probe in self.probes.iter_mut().filter(|probe| probe.is_in(module)) {
            probe.disarm();
        }
        self.drain(Next::Renew, |probe| probe.is_in(module));
        self.probes
            .retain(|probe| !probe.is_in(module) || probe.module_gone());
    }

    /// Takes off all hooks that are as `backend=` says, and arms others.
    pub(crate) fn rehook(&mut self, choice: Choice) -> Result {
        let recording = self.recording;
        self.stop();
        self.context.choice = choice;
        self.drain(Next::Renew, Probe::follows_choice);
        self.release_drained()?;
        if recording {
            self.start()?;
        }
        Ok(())
    }

    /// Takes a probe off, and forgets it now or when no call returns to it.
    pub(crate) fn take_off(&mut self, name: &CStr) -> Result {
        let index = self.position(name).ok_or(ENOENT)?;
        let probe = &mut self.probes[index];
        probe.disarm();
        if probe.drain(Next::Delete) {
            hook::synchronize();
            Ok(())
        } else {
            self.probes.remove(index).map(drop).map_err(|_| ENOENT)
        }
    }

    /// Frees what it holds: a static is never dropped.
    pub(crate) fn clear(&mut self) {
        self.probes = KVec::new();
        self.index = None;
        self.context.calibration = None;
    }
}
