// SPDX-License-Identifier: GPL-2.0

//! All probes, and what is done to them.

use super::{
    backend::{Backend, Choice, Costs},
    calibration::Calibration,
    clock::Clock,
    direct, epoch,
    probe::{self, Probe},
    role::Role,
    stages::STAGES,
    symbols::{self, Function, Index, Resolver},
};
use crate::abi::format::state;
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{prelude::*, str::CStr, sync::global_lock};

/// What arming a probe depends on.
pub(crate) struct Surroundings {
    pub(crate) role: Role,
    pub(crate) choice: Choice,
    pub(crate) calibration: Option<Calibration>,
}

impl Surroundings {
    /// What a hit costs with `backend`; nothing where it was not found out.
    pub(crate) fn costs(&self, backend: Backend) -> Costs {
        self.calibration
            .as_ref()
            .and_then(|calibration| calibration.costs(backend))
            .unwrap_or_default()
    }
}

/// All that is behind the lock.
pub(crate) struct Registry {
    pub(crate) around: Surroundings,
    pub(crate) clock: Clock,
    pub(crate) probes: KVec<Probe>,
    pub(crate) recording: bool,
    /// Made for the first `add`.
    index: Option<Index>,
}

global_lock! {
    // SAFETY: Initialised by `Armed::start`, before anything can get at it.
    pub(crate) unsafe(uninit) static REGISTRY: Mutex<Registry> = Registry {
        around: Surroundings {
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

static THIS: AtomicPtr<kernel::bindings::module> = AtomicPtr::new(ptr::null_mut());

/// xcap itself, as the kernel knows it.
pub(crate) fn this_module() -> *mut kernel::bindings::module {
    THIS.load(Ordering::Relaxed)
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

impl Registry {
    fn position(&self, name: &CStr) -> Option<usize> {
        self.probes.iter().position(|probe| *probe.name == *name)
    }

    /// Arms all probes that can be and are not.
    pub(crate) fn arm_all(&mut self) -> Result {
        let mut resolver = Resolver::new();
        for probe in self.probes.iter_mut() {
            probe.look(self.around.role, &mut resolver)?;
        }
        drop(resolver);
        for probe in self.probes.iter_mut() {
            probe.arm(&self.around)?;
        }
        Ok(())
    }

    /// `start`: calls count from here on.
    pub(crate) fn start(&mut self) -> Result {
        if self.recording {
            return Ok(());
        }
        epoch::open();
        self.recording = true;
        self.arm_all()
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

    /// `backend=…`: hooks all probes anew that have no backend of their own.
    pub(crate) fn choose(&mut self, choice: Choice) -> Result {
        let recording = self.recording;
        self.stop();
        let drained = self.drain(Probe::follows_choice, pause);
        if drained.is_ok() {
            self.around.choice = choice;
        }
        if recording {
            self.start()?;
        }
        drained
    }

    /// Frees the disarmed hooks of all probes that are `meant`, when nothing is in them any more.
    fn drain(&mut self, meant: fn(&Probe) -> bool, pause: fn() -> Result) -> Result {
        let draining = |probe: &&Probe| meant(probe) && probe.needs_draining();
        if self.probes.iter().any(|probe| draining(&probe)) {
            direct::synchronize();
            for probe in self.probes.iter().filter(draining) {
                while probe.is_draining()? {
                    pause()?;
                }
            }
            direct::synchronize();
        }
        for probe in self.probes.iter_mut() {
            if meant(probe) {
                probe.release();
            }
        }
        Ok(())
    }

    /// `calibrate`: measures anew what probes cost.
    pub(crate) fn calibrate(&mut self) -> Result {
        let recording = self.recording;
        self.stop();
        epoch::open();
        let calibration = Calibration::measure();
        epoch::close();
        self.around.calibration = Some(calibration?);
        if recording {
            self.start()
        } else {
            Ok(())
        }
    }

    /// One more probe, on a function that was resolved.
    fn add_one(&mut self, name: &CStr, function: Function, wanted: Option<Choice>) -> Result {
        if self.position(name).is_some() {
            return Err(EEXIST);
        }
        // What a hit runs through can't be hit itself.
        if function.module.as_deref() == Some(c"xcap") {
            return Err(EINVAL);
        }
        let mut probe = Probe::of_function(name, function, wanted)?;
        if self.recording {
            probe.arm(&self.around)?;
            if probe.state != state::ARMED {
                return Err(probe::refusal(&probe));
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
        self.add_one(name, found, wanted)
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
        let mut added = 0;
        for function in symbols::matching(pattern, limit)? {
            let name = symbols::c_string(function.name.to_bytes())?;
            match self.add_one(&name, function, wanted) {
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
            probe.module_gone();
        }
    }
}

/// `del NAME`: takes a probe off, waits until no call will return to it, forgets it.
///
/// The lock is free while it waits, so that `probes` can show why.
///
/// # Errors
///
/// `ENOENT`: there is none of that name. `EINTR`: a signal came; the probe is `draining`, another
/// `del` goes on waiting.
pub(crate) fn delete(name: &CStr) -> Result {
    {
        let mut registry = REGISTRY.lock();
        let index = registry.position(name).ok_or(ENOENT)?;
        let probe = &mut registry.probes[index];
        probe.disarm();
        if probe.needs_draining() {
            probe.state = state::DRAINING;
            probe.reason = probe::Reason::InFlight;
            direct::synchronize();
        }
    }
    loop {
        let mut registry = REGISTRY.lock();
        // Somebody else's `del` may have been first.
        let index = registry.position(name).ok_or(ENOENT)?;
        if !registry.probes[index].is_draining()? {
            if registry.probes[index].needs_draining() {
                direct::synchronize();
            }
            registry.probes.remove(index).map_err(|_| ENOENT)?;
            return Ok(());
        }
        drop(registry);
        pause()?;
    }
}

/// All stages armed, until dropped.
pub(crate) struct Armed;

impl Armed {
    pub(crate) fn start(module: &'static ThisModule) -> Result<Self> {
        THIS.store(module.as_ptr(), Ordering::Relaxed);
        // SAFETY: Called once, before anything else locks it.
        unsafe { REGISTRY.init() };
        let armed = Self;
        let mut registry = REGISTRY.lock();
        registry.around.role = Role::current();
        registry.around.choice = Choice::parameter()?;
        registry.clock = Clock::check();
        for stage in STAGES {
            registry.probes.push(Probe::of_stage(stage)?, GFP_KERNEL)?;
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
        // What may sleep pins the module: these return soon, and a signal can't hurry them.
        let patiently = || {
            let _ = pause();
            Ok(())
        };
        while registry.drain(|_| true, patiently).is_err() {
            // Counting takes memory, of which there is none just now.
            patiently().ok();
        }
        // A static is never dropped: what it holds is freed here.
        registry.probes = KVec::new();
        registry.index = None;
        registry.around.calibration = None;
    }
}
