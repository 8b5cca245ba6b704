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
        self.renew()?;
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

    /// Frees stale hooks that nothing is in any more. True if there was one.
    fn renew(&mut self) -> Result<bool> {
        let mut renewable = KVec::new();
        let mut synchronize = false;
        for (index, probe) in self.probes.iter_mut().enumerate() {
            if !probe.is_stale() {
                continue;
            }
            if probe.is_draining()? {
                probe.show_draining();
            } else {
                synchronize |= probe.needs_draining();
                renewable.push(index, GFP_KERNEL)?;
            }
        }
        if synchronize {
            direct::synchronize();
        }
        for &index in &renewable {
            self.probes[index].renew();
        }
        Ok(!renewable.is_empty())
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

/// `backend=…`: hooks all probes anew that have no backend of their own.
///
/// The lock is free while it waits for calls that will return to a hook, so that `probes` can show
/// why.
///
/// # Errors
///
/// `EINTR`: a signal came; those that it waited for are `draining`, and another `backend=` goes on.
pub(crate) fn choose(choice: Choice) -> Result {
    {
        let mut registry = REGISTRY.lock();
        let recording = registry.recording;
        registry.stop();
        registry.around.choice = choice;
        let mut synchronize = false;
        for probe in registry.probes.iter_mut() {
            if probe.follows_choice() {
                probe.outdate();
                synchronize |= probe.needs_draining();
            }
        }
        if synchronize {
            direct::synchronize();
        }
        registry.renew()?;
        if recording {
            registry.start()?;
        }
    }
    loop {
        let mut registry = REGISTRY.lock();
        if registry.renew()? && registry.recording {
            registry.arm_all()?;
        }
        if !registry.probes.iter().any(Probe::is_stale) {
            return Ok(());
        }
        drop(registry);
        pause()?;
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
        probe.leave();
        if probe.needs_draining() {
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
        if registry.probes.iter().any(Probe::needs_draining) {
            direct::synchronize();
            // What may sleep pins the module: these return soon, and a signal can't hurry them.
            // That counting takes memory is no error here either: there will be some.
            while registry
                .probes
                .iter()
                .any(|probe| probe.is_draining().unwrap_or(true))
            {
                let _ = pause();
            }
            direct::synchronize();
        }
        // A static is never dropped: what it holds is freed here.
        registry.probes = KVec::new();
        registry.index = None;
        registry.around.calibration = None;
    }
}
