// SPDX-License-Identifier: GPL-2.0

//! All probes, and what is done to them.

use super::{
    btf::Types,
    clock::Clock,
    context::ArmingContext,
    epoch, hook,
    life::Next,
    mark_rings::{self, Rings},
    probe::Probe,
    refusal::Refusal,
    symbols::{Function, Index, Resolver},
};
use crate::abi::{backend::Choice, role::Role, stages::Entry, transmit::TRANSMIT};
use kernel::{
    prelude::*,
    str::CStr,
    sync::{global_lock, Arc},
};

/// All that is behind the lock.
pub(crate) struct Registry {
    pub(crate) context: ArmingContext,
    pub(crate) clock: Clock,
    pub(crate) probes: KVec<Probe>,
    pub(crate) recording: bool,
    /// Modules that have gone.
    pub(crate) departures: u64,
    /// Where marks are, since they were first switched on.
    pub(crate) rings: Option<Arc<Rings>>,
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
            marking_costs: None,
            scoping_costs: None,
        },
        clock: Clock::UNKNOWN,
        probes: KVec::new(),
        recording: false,
        departures: 0,
        rings: None,
        index: None,
    };
}

impl Registry {
    fn position(&self, name: &CStr) -> Option<usize> {
        self.probes.iter().position(|probe| *probe.name == *name)
    }

    /// Whether files show probe number `index`: of a stage, those whose function is there, or the first
    /// if none is.
    pub(crate) fn shows(&self, index: usize) -> bool {
        let probe = &self.probes[index];
        let mut alike = self.probes.iter().filter(|one| *one.name == *probe.name);
        probe.is_found() || self.position(&probe.name) == Some(index) && !alike.any(Probe::is_found)
    }

    /// One more probe for each function that may be a step of sending. Those that there are stay.
    pub(crate) fn add_transmit(&mut self) -> Result {
        self.add_stages(TRANSMIT.iter())?;
        self.look()
    }

    /// One more probe for each function that may be one of these stages, but for stages that there are.
    pub(crate) fn add_stages(&mut self, entries: impl Iterator<Item = &'static Entry>) -> Result {
        let mut added = KVec::new();
        for entry in entries {
            for candidate in entry.candidates {
                let probe = Probe::of_stage(entry, candidate)?;
                if self.position(&probe.name).is_none() {
                    added.push(probe, GFP_KERNEL)?;
                }
            }
        }
        self.probes.reserve(added.len(), GFP_KERNEL)?;
        for probe in added {
            self.probes.push(probe, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Looks for the functions of all probes that have no hook.
    pub(crate) fn look(&mut self) -> Result {
        let mut resolver = Resolver::new();
        for probe in self.probes.iter_mut() {
            probe.look(self.context.role, &mut resolver)?;
        }
        Ok(())
    }

    /// Arms probe number `index`, if it is stopped.
    pub(crate) fn arm(&mut self, index: usize, types: &mut Types) -> Result {
        self.probes
            .get_mut(index)
            .map_or(Ok(()), |probe| probe.arm(&self.context, types))
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

    /// Whether a hook waits for calls to return.
    pub(crate) fn is_draining(&self) -> bool {
        self.probes.iter().any(Probe::is_draining)
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

    /// A probe on a function that was found when `departures` modules had gone.
    pub(crate) fn add_found(
        &mut self,
        name: &CStr,
        mut function: Function,
        departures: u64,
        wanted: Option<Choice>,
        types: &mut Types,
    ) -> Result {
        if function.module.is_some() && self.departures != departures {
            function = Resolver::new().resolve_again(&function)?;
        }
        self.add_one(name, function, wanted, types)
    }

    /// Where functions are has changed.
    pub(crate) fn forget_index(&mut self) {
        self.index = None;
    }

    /// A driver goes.
    pub(crate) fn module_goes(&mut self, module: &CStr) {
        self.index = None;
        self.departures += 1;
        for probe in self.probes.iter_mut().filter(|probe| probe.is_in(module)) {
            probe.disarm();
        }
        self.drain(Next::Renew, |probe| probe.is_in(module));
        self.probes
            .retain(|probe| !probe.is_in(module) || probe.module_gone());
    }

    /// Takes all probes of a name off, and forgets each now or when no call returns to it.
    pub(crate) fn take_off(&mut self, name: &CStr) -> Result {
        self.position(name).ok_or(ENOENT)?;
        self.take_off_all(|probe| *probe.name == *name)
    }

    /// The same of all that are chosen.
    pub(crate) fn take_off_all(&mut self, chosen: impl Fn(&Probe) -> bool) -> Result {
        let mut draining = false;
        // A stage may have several. From the end: what follows one that goes moves up.
        for index in (0..self.probes.len()).rev() {
            let probe = &mut self.probes[index];
            if !chosen(probe) {
                continue;
            }
            probe.disarm();
            if probe.drain(Next::Delete) {
                draining = true;
            } else {
                self.probes.remove(index).map_err(|_| ENOENT)?;
            }
        }
        if draining {
            hook::synchronize();
        }
        Ok(())
    }

    /// Frees what it holds: a static is never dropped.
    pub(crate) fn clear(&mut self) {
        self.probes = KVec::new();
        mark_rings::deactivate();
        self.rings = None;
        self.index = None;
        self.context.calibration = None;
        self.context.marking_costs = None;
        self.context.scoping_costs = None;
    }
}
