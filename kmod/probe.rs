// SPDX-License-Identifier: GPL-2.0

//! A probe: a stage attached to a function of this kernel, or the reason why it is not.

use super::{
    backend::{Backend, Choice, Costs, Hook, Missed, Target},
    btf::Btf,
    cell::{Cells, Totals},
    direct, errors, registry,
    role::Role,
    stages::{Stage, Work},
    symbols::{Function, Resolver},
};
use crate::abi::format::state;
use kernel::{
    prelude::*,
    str::{CStr, CString},
};

/// Why a probe is in its state; a word for `stats`, a sentence for `probes`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Reason {
    /// Nothing to explain.
    None,
    /// `stop` was written.
    Stopped,
    /// No candidate is looked for in this role.
    OtherRole,
    /// No candidate exists.
    NoSuchFunction,
    /// The kernel forbids probes on it.
    NotProbeable,
    /// Its module was unloaded.
    ModuleUnloaded,
    /// A call may sleep in it, and a direct call would pin the module.
    MaySleep,
    /// Another direct call has it (a BPF fentry program, say).
    DirectTaken,
    /// Some of its arguments are passed on the stack.
    ArgumentsOnStack,
    /// Whether all arguments are in registers is not known.
    ArgumentsUnknown,
    /// Its work is an argument, which the direct backend does not keep.
    WorkIsArgument,
    /// No trampoline is free.
    NoSlot,
    /// Calls have still to return.
    InFlight,
    /// The kernel refused with this error.
    Refused(Error),
}

impl Reason {
    /// One word, for `stats`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Reason::None => "-",
            Reason::Stopped => "stopped",
            Reason::OtherRole => "other_role",
            Reason::NoSuchFunction => "no_such_function",
            Reason::NotProbeable => "not_probeable",
            Reason::ModuleUnloaded => "module_unloaded",
            Reason::MaySleep => "may_sleep",
            Reason::DirectTaken => "direct_taken",
            Reason::ArgumentsOnStack => "arguments_on_stack",
            Reason::ArgumentsUnknown => "arguments_unknown",
            Reason::WorkIsArgument => "work_is_argument",
            Reason::NoSlot => "no_slot",
            Reason::InFlight => "in_flight",
            Reason::Refused(_) => "refused",
        }
    }

    /// A sentence, for `probes`.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Reason::None => "",
            Reason::Stopped => "stopped; write start to control to go on",
            Reason::OtherRole => "not part of the capture path in this role",
            Reason::NoSuchFunction => {
                "no such function now: its driver is not loaded, or it is inlined"
            }
            Reason::NotProbeable => "the kernel forbids probes on this function",
            Reason::ModuleUnloaded => "its module was unloaded; armed again when it comes back",
            Reason::MaySleep => "not direct: calls may sleep in it (backend=direct to insist)",
            Reason::DirectTaken => "not direct: another direct call has the function",
            Reason::ArgumentsOnStack => "not direct: it takes arguments on the stack",
            Reason::ArgumentsUnknown => {
                "not direct: its arguments are not known to be in registers"
            }
            Reason::WorkIsArgument => "not direct: its work is one of its arguments",
            Reason::NoSlot => "not direct: all trampolines are in use",
            Reason::InFlight => "waiting for calls to return through it",
            Reason::Refused(_) => "the kernel refused",
        }
    }

    fn of_direct(error: Error) -> Self {
        match error {
            EBUSY => Reason::DirectTaken,
            ENOSPC => Reason::NoSlot,
            error => Reason::Refused(error),
        }
    }
}

/// Keeps xcap loaded as long as calls may be asleep in a trampoline.
struct Pin;

impl Pin {
    fn take() -> Result<Self> {
        // SAFETY: The module is ours, and running.
        if unsafe { kernel::bindings::try_module_get(registry::this_module()) } {
            Ok(Self)
        } else {
            Err(ENODEV)
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: Taken by `take`.
        unsafe { kernel::bindings::module_put(registry::this_module()) }
    }
}

/// A stage and, where it has one, the function that it is on this kernel.
pub(crate) struct Probe {
    pub(crate) name: CString,
    /// From the stage table; none: added by name.
    stage: Option<&'static Stage>,
    pub(crate) function: Option<Function>,
    /// Whether the function is there now.
    found: bool,
    /// What was asked for with `backend=`; none: whatever all others have.
    wanted: Option<Choice>,
    hook: Option<Hook>,
    /// The backend of the hook, or of the last one: what the samples were taken with.
    backend: Option<Backend>,
    pin: Option<Pin>,
    /// The hook is to be another, once no call is in it.
    stale: bool,
    /// To be forgotten, once no call is in its hook.
    leaving: bool,
    cells: Option<Cells>,
    /// Lost by hooks that are gone, and what of it is from before the last reset.
    missed_before: Missed,
    missed_base: Missed,
    pub(crate) state: &'static str,
    pub(crate) reason: Reason,
}

impl Probe {
    /// A stage of the table, not yet armed.
    pub(crate) fn of_stage(stage: &'static Stage) -> Result<Self> {
        Self::new(
            super::symbols::c_string(stage.name.to_bytes())?,
            Some(stage),
        )
    }

    /// A function that somebody asked for.
    pub(crate) fn of_function(
        name: &CStr,
        function: Function,
        wanted: Option<Choice>,
    ) -> Result<Self> {
        let mut probe = Self::new(super::symbols::c_string(name.to_bytes())?, None)?;
        probe.function = Some(function);
        probe.found = true;
        probe.wanted = wanted;
        probe.state = state::STOPPED;
        probe.reason = Reason::Stopped;
        Ok(probe)
    }

    fn new(name: CString, stage: Option<&'static Stage>) -> Result<Self> {
        Ok(Self {
            name,
            stage,
            function: None,
            found: false,
            wanted: None,
            hook: None,
            backend: None,
            pin: None,
            stale: false,
            leaving: false,
            cells: None,
            missed_before: Missed::default(),
            missed_base: Missed::default(),
            state: state::ABSENT,
            reason: Reason::NoSuchFunction,
        })
    }

    /// What its work is counted in, or `-`.
    pub(crate) fn unit(&self) -> &'static CStr {
        self.stage.map_or(c"-", |stage| stage.unit)
    }

    pub(crate) fn backend(&self) -> Option<Backend> {
        self.backend
    }

    /// How the function's entry reaches a direct hook.
    pub(crate) fn variant(&self) -> Option<direct::Variant> {
        match &self.hook {
            Some(Hook::Direct(hook)) => Some(hook.variant()),
            _ => None,
        }
    }

    /// Whether it is hooked as all are, not with a backend of its own.
    pub(crate) fn follows_choice(&self) -> bool {
        self.wanted.is_none() && !self.leaving
    }

    /// Whether it is on a function of module `module`.
    pub(crate) fn is_in(&self, module: &CStr) -> bool {
        self.function
            .as_ref()
            .and_then(|function| function.module.as_deref())
            .is_some_and(|name| name == module)
    }

    fn sleeps(&self) -> bool {
        self.stage.is_none_or(|stage| stage.sleeps)
    }

    /// Finds the stage's function. True when there is one now.
    fn find(&mut self, role: Role, resolver: &mut Resolver) -> Result<bool> {
        let Some(stage) = self.stage else {
            let Some(function) = &self.function else {
                return Ok(false);
            };
            // The module that it was in may have been loaded elsewhere.
            match resolver.resolve(&function.name) {
                Ok(function) => {
                    self.function = Some(function);
                    return Ok(true);
                }
                Err(error) if error == ENOMEM => return Err(error),
                Err(error) if error == EINVAL => {
                    self.state = state::BLACKLISTED;
                    self.reason = Reason::NotProbeable;
                }
                Err(_) => {
                    self.state = state::ABSENT;
                    self.reason = Reason::NoSuchFunction;
                }
            }
            return Ok(false);
        };
        let mut looked = false;
        let mut forbidden = false;
        for candidate in stage.candidates {
            if !candidate.found.includes(role) {
                continue;
            }
            looked = true;
            match resolver.resolve(candidate.function) {
                Ok(function) => {
                    self.function = Some(function);
                    return Ok(true);
                }
                Err(error) if error == ENOMEM => return Err(error),
                Err(error) => forbidden |= error == EINVAL,
            }
        }
        if forbidden {
            self.state = state::BLACKLISTED;
            self.reason = Reason::NotProbeable;
        } else if self.state != state::GONE {
            self.state = state::ABSENT;
            self.reason = if looked {
                Reason::NoSuchFunction
            } else {
                Reason::OtherRole
            };
        }
        Ok(false)
    }

    /// Looks for the function of a probe that is to be armed.
    pub(crate) fn look(&mut self, role: Role, resolver: &mut Resolver) -> Result {
        if self.hook.is_none() {
            self.found = self.find(role, resolver)?;
        }
        Ok(())
    }

    /// Arms the probe if its function was found, with the backend that is wanted or the next best.
    ///
    /// That it can't be armed is no error: `state` and `reason` say why.
    pub(crate) fn arm(&mut self, around: &registry::Surroundings) -> Result {
        if self.leaving || self.stale || self.state == state::ARMED {
            return Ok(());
        }
        if let Some(Hook::Direct(hook)) = &mut self.hook {
            match hook.rearm() {
                Ok(()) => {
                    self.state = state::ARMED;
                    self.reason = Reason::None;
                }
                Err(error) => {
                    self.state = state::FAILED;
                    self.reason = Reason::of_direct(error);
                }
            }
            return Ok(());
        }
        if !self.found {
            return Ok(());
        }
        if self.cells.is_none() {
            self.cells = Some(Cells::new()?);
        }
        self.hook(self.wanted.unwrap_or(around.choice), around)
    }

    fn hook(&mut self, choice: Choice, around: &registry::Surroundings) -> Result {
        let (Some(function), Some(cells)) = (&self.function, &self.cells) else {
            return Ok(());
        };
        let mut target = Target {
            address: function.address,
            sleeps: self.sleeps(),
            is_stage: self.stage.is_some(),
            // No stage's function does.
            returns_wide: false,
            work: self.stage.map_or(Work::None, |stage| stage.work),
            costs: Costs::default(),
        };
        self.reason = Reason::None;
        for backend in [Backend::Direct, Backend::Fprobe, Backend::Kretprobe] {
            match choice {
                Choice::This(wanted) if wanted != backend => continue,
                Choice::Auto if backend == Backend::Direct && self.sleeps() => {
                    self.reason = Reason::MaySleep;
                    continue;
                }
                _ => {}
            }
            if backend == Backend::Direct && matches!(target.work, Work::Argument(_)) {
                self.reason = Reason::WorkIsArgument;
                continue;
            }
            if backend == Backend::Direct && self.stage.is_none() {
                let btf = Btf::of(function.module.as_deref());
                match btf.and_then(|btf| btf.signature(&function.name)) {
                    Ok(signature) if signature.in_registers => {
                        target.returns_wide = signature.returns_wide;
                    }
                    Ok(_) => {
                        self.reason = Reason::ArgumentsOnStack;
                        continue;
                    }
                    Err(error) if error == ENOMEM => return Err(error),
                    Err(_) => {
                        self.reason = Reason::ArgumentsUnknown;
                        continue;
                    }
                }
            }
            let pin = if backend == Backend::Direct && self.sleeps() {
                Some(Pin::take()?)
            } else {
                None
            };
            target.costs = around.costs(backend);
            match Hook::arm(backend, &target, cells) {
                Ok(hook) => {
                    self.hook = Some(hook);
                    self.backend = Some(backend);
                    self.pin = pin;
                    self.state = state::ARMED;
                    return Ok(());
                }
                Err(error) if error == ENOMEM => return Err(error),
                Err(error) if backend == Backend::Direct => self.reason = Reason::of_direct(error),
                Err(error) if error == EINVAL || error == ENOENT => {
                    self.state = state::BLACKLISTED;
                    self.reason = Reason::NotProbeable;
                }
                Err(error) => self.reason = Reason::Refused(error),
            }
        }
        if self.state != state::BLACKLISTED {
            self.state = state::FAILED;
        }
        Ok(())
    }

    /// Lets no further call in. A direct hook stays, for the calls that are in flight.
    pub(crate) fn disarm(&mut self) {
        if self.state != state::ARMED {
            return;
        }
        self.state = state::STOPPED;
        self.reason = Reason::Stopped;
        match self.hook.take() {
            Some(Hook::Direct(mut hook)) => {
                hook.disarm();
                self.hook = Some(Hook::Direct(hook));
            }
            Some(hook) => {
                let missed = hook.missed();
                self.missed_before.pool = self.missed_before.pool.wrapping_add(missed.pool);
                self.missed_before.busy = self.missed_before.busy.wrapping_add(missed.busy);
                drop(hook);
                // Their returns will not be seen.
                if let (Some(cells), Ok(in_flight)) = (&self.cells, self.in_flight()) {
                    cells.give_up(in_flight);
                }
            }
            None => {}
        }
    }

    /// Marks a disarmed hook as one that [`Probe::renew`] is to free, so that another may follow.
    pub(crate) fn outdate(&mut self) {
        self.stale = self.hook.is_some();
    }

    /// Whether it waits for [`Probe::renew`].
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Shows that calls are still to return through the disarmed hook.
    pub(crate) fn show_draining(&mut self) {
        self.state = state::DRAINING;
        self.reason = Reason::InFlight;
    }

    /// Frees a stale hook that nothing is in any more.
    pub(crate) fn renew(&mut self) {
        self.release();
        self.state = state::STOPPED;
        self.reason = Reason::Stopped;
    }

    /// Marks the disarmed probe as one that goes.
    pub(crate) fn leave(&mut self) {
        self.leaving = true;
        self.stale = false;
        if self.needs_draining() {
            self.show_draining();
        }
    }

    /// Whether a disarmed hook is still what some call will return to.
    pub(crate) fn is_draining(&self) -> Result<bool> {
        Ok(matches!(self.hook, Some(Hook::Direct(_))) && self.in_flight()? > 0)
    }

    /// Whether freeing the hook takes [`direct::synchronize`] on both sides of the draining.
    pub(crate) fn needs_draining(&self) -> bool {
        matches!(self.hook, Some(Hook::Direct(_)))
    }

    /// Frees a disarmed hook that nothing is in any more.
    pub(crate) fn release(&mut self) {
        self.hook = None;
        self.pin = None;
        self.stale = false;
    }

    /// The module with the function goes. Nothing is in flight in it.
    pub(crate) fn module_gone(&mut self) {
        self.disarm();
        if self.needs_draining() {
            direct::synchronize();
        }
        self.release();
        self.state = state::GONE;
        self.reason = Reason::ModuleUnloaded;
    }

    fn in_flight(&self) -> Result<u64> {
        self.cells
            .as_ref()
            .map_or(Ok(0), |cells| Ok(cells.totals()?.in_flight()))
    }

    /// Forgets all samples. The epoch is closed.
    pub(crate) fn reset(&mut self) {
        if let Some(cells) = &self.cells {
            cells.reset();
        }
        self.missed_base = self.missed_in_all();
    }

    fn missed_in_all(&self) -> Missed {
        let now = self.hook.as_ref().map_or(Missed::default(), Hook::missed);
        Missed {
            pool: self.missed_before.pool.wrapping_add(now.pool),
            busy: self.missed_before.busy.wrapping_add(now.busy),
        }
    }

    /// Hits lost since the last reset.
    pub(crate) fn missed(&self) -> Missed {
        let all = self.missed_in_all();
        Missed {
            pool: all.pool.wrapping_sub(self.missed_base.pool),
            busy: all.busy.wrapping_sub(self.missed_base.busy),
        }
    }

    /// All samples since the last reset.
    pub(crate) fn totals(&self) -> Result<Totals> {
        self.cells
            .as_ref()
            .map_or_else(Totals::new, |cells| cells.totals())
    }
}

/// The error that `probe`'s not being armed is, for whoever asked for it.
pub(crate) fn refusal(probe: &Probe) -> Error {
    match probe.reason {
        Reason::NoSuchFunction => ENOENT,
        Reason::DirectTaken => EBUSY,
        Reason::ArgumentsOnStack | Reason::ArgumentsUnknown | Reason::WorkIsArgument => {
            errors::unsupported()
        }
        Reason::NoSlot => ENOSPC,
        Reason::Refused(error) => error,
        _ => EINVAL,
    }
}
