// SPDX-License-Identifier: GPL-2.0

//! A probe: a stage attached to a function of this kernel, or the reason why it is not.

use super::{
    arming::Arming,
    btf::Types,
    cells::Cells,
    context::ArmingContext,
    life::{Left, Life, Next},
    marking::Marking,
    missed::Missed,
    own_stack::OwnStack,
    refusal::Refusal,
    search::{self, Search},
    subject::Scoped,
    symbols::{c_string, Function, Resolver},
    totals::{self, Totals},
};
use crate::abi::{
    backend::{Backend, Choice},
    reason::Reason,
    role::Role,
    stages::{About, Candidate, Entry},
    state::State,
};
use core::mem;
use kernel::{
    prelude::*,
    str::{CStr, CString},
};

/// A stage and, where it has one, the function that it is on this kernel.
pub(crate) struct Probe {
    pub(crate) name: CString,
    /// From the stage table; none: added by name.
    entry: Option<&'static Entry>,
    /// Which of the stage's it is.
    candidate: Option<&'static Candidate>,
    /// As last found.
    pub(crate) function: Option<Function>,
    /// What was asked for with `backend=`; none: whatever all others have.
    wanted: Option<Choice>,
    /// How its calls leave marks, from its next hook on; none: they don't.
    pub(crate) marking: Option<Marking>,
    /// Whose calls alone count, from its next hook on; none: everybody's.
    pub(crate) scoped: Option<Scoped>,
    life: Life,
    /// The backend of the hook, or of the last one: what the samples were taken with.
    backend: Option<Backend>,
    cells: Option<Cells>,
    /// Lost by hooks that are gone, and what of it is from before the last reset.
    missed_before: Missed,
    missed_base: Missed,
}

impl Probe {
    /// A stage of the table, not yet looked for.
    pub(crate) fn of_stage(entry: &'static Entry, candidate: &'static Candidate) -> Result<Self> {
        Ok(Self {
            name: c_string(entry.stage.word().as_bytes())?,
            entry: Some(entry),
            candidate: Some(candidate),
            function: None,
            wanted: None,
            marking: None,
            scoped: None,
            life: Life::Absent(Reason::NoSuchFunction),
            backend: None,
            cells: None,
            missed_before: Missed::default(),
            missed_base: Missed::default(),
        })
    }

    /// A function that somebody asked for, not yet armed.
    pub(crate) fn of_function(
        name: &CStr,
        function: Function,
        wanted: Option<Choice>,
    ) -> Result<Self> {
        Ok(Self {
            name: c_string(name.to_bytes())?,
            entry: None,
            candidate: None,
            function: Some(function),
            wanted,
            marking: None,
            scoped: None,
            life: Life::Stopped(None),
            backend: None,
            cells: None,
            missed_before: Missed::default(),
            missed_base: Missed::default(),
        })
    }

    /// What its work is counted in.
    pub(crate) fn work_unit(&self) -> Option<&'static str> {
        self.entry.and_then(|entry| entry.stage.work_unit())
    }

    /// Which frames a stage's calls are about.
    pub(crate) fn about(&self) -> Option<About> {
        let own = self.candidate.and_then(|candidate| candidate.about);
        own.or(self.entry.map(|entry| entry.about))
    }

    /// Whether it is a stage of sending only.
    pub(crate) fn is_transmit(&self) -> bool {
        self.entry.is_some_and(|entry| entry.stage.is_transmit())
    }

    /// Whether a call may sleep: nothing is known of what is not in the table.
    pub(crate) fn may_sleep(&self) -> bool {
        self.entry.is_none_or(|entry| entry.sleeps)
    }

    /// The module that its function is in; none: the kernel's own.
    pub(crate) fn module(&self) -> Option<&CStr> {
        self.function
            .as_ref()
            .and_then(|function| function.module.as_deref())
    }

    /// Whether its calls are to leave marks.
    pub(crate) fn leaves_marks(&self) -> bool {
        self.marking.is_some() && !self.is_leaving()
    }

    pub(crate) fn backend(&self) -> Option<Backend> {
        self.backend
    }

    pub(crate) fn state(&self) -> State {
        self.life.state()
    }

    /// Why it is in its state, or not on the backend that was to be expected.
    pub(crate) fn why(&self) -> Option<Refusal> {
        self.life.why()
    }

    /// Whether this kernel has its function, or had it.
    pub(crate) fn is_found(&self) -> bool {
        self.function.is_some() || !matches!(self.life, Life::Absent(_))
    }

    pub(crate) fn is_armed(&self) -> bool {
        matches!(self.life, Life::Armed { .. })
    }

    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.life, Life::Draining { .. })
    }

    /// Whether it drains, and the current task is in a call that it waits for.
    pub(crate) fn waits_for(&self, stack: &OwnStack) -> bool {
        matches!(&self.life, Life::Draining { left, .. } if left.hook.is_on(stack))
    }

    /// Whether `del` was written, and it goes when no call will return to it.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(
            self.life,
            Life::Draining {
                next: Next::Delete,
                ..
            }
        )
    }

    /// How the function's entry reaches an armed probe, where there are several ways.
    pub(crate) fn variant(&self) -> Option<&'static str> {
        match &self.life {
            Life::Armed { hook, .. } => hook.variant(),
            _ => None,
        }
    }

    /// Whether it is hooked as all are, not with a backend of its own.
    pub(crate) fn follows_choice(&self) -> bool {
        self.wanted.is_none() && !self.is_leaving()
    }

    /// Whether it is on a function of module `module`.
    pub(crate) fn is_in(&self, module: &CStr) -> bool {
        self.module().is_some_and(|name| name == module)
    }

    /// Looks for the function of a probe that has no hook.
    pub(crate) fn look(&mut self, role: Role, resolver: &mut Resolver) -> Result {
        if self.life.has_hook() {
            return Ok(());
        }
        let found = match (self.candidate, &self.function) {
            (Some(candidate), _) => search::of_candidate(candidate, role, resolver)?,
            (None, Some(function)) => search::again(function, resolver)?,
            (None, None) => return Ok(()),
        };
        self.life = match found {
            Search::Found(function) => {
                self.function = Some(function);
                Life::Stopped(None)
            }
            Search::Forbidden => Life::Blacklisted(Refusal::Known(Reason::NotProbeable)),
            // Why it is not there is known better.
            Search::Absent(_) if matches!(self.life, Life::Gone) => Life::Gone,
            Search::Absent(reason) => Life::Absent(reason),
        };
        Ok(())
    }

    fn choice(&self, context: &ArmingContext) -> Choice {
        self.wanted.unwrap_or(context.choice)
    }

    /// Arms a probe that is stopped, with the backend that is wanted or the next best.
    ///
    /// That it can't be armed is no error: its state and reason say why. What has to make way for
    /// the next best drains, as after [`Probe::drain`].
    pub(crate) fn arm(&mut self, context: &ArmingContext, types: &mut Types) -> Result {
        match mem::replace(&mut self.life, Life::Stopped(None)) {
            Life::Stopped(None) => self.life = self.hook(context, types)?,
            Life::Stopped(Some(left))
            | Life::Failed {
                left: Some(left), ..
            } => self.life = self.rearm(left, context),
            other => self.life = other,
        }
        if let Life::Armed { hook, .. } = &self.life {
            self.backend = Some(hook.backend());
        }
        Ok(())
    }

    fn hook(&mut self, context: &ArmingContext, types: &mut Types) -> Result<Life> {
        if self.cells.is_none() {
            self.cells = Some(Cells::new()?);
        }
        let (Some(function), Some(cells)) = (&self.function, &self.cells) else {
            return Ok(Life::Stopped(None));
        };
        let arming = Arming {
            function,
            entry: self.entry,
            cells,
            choice: self.choice(context),
            marking: self.marking,
            scope: self.scoped.as_ref().map(Scoped::scope),
        };
        arming.arm(context, types)
    }

    /// Lets calls in again where some may be in flight.
    fn rearm(&self, Left { hook, pin }: Left, context: &ArmingContext) -> Life {
        if let Some(cells) = &self.cells {
            // Calibrated anew, perhaps, since it was armed.
            let scope = self.scoped.as_ref().map(Scoped::scope);
            let costs = context.costs(hook.backend(), self.marking.is_some(), scope);
            cells.set_costs(costs.outside, costs.whole(), costs.away);
        }
        match hook.rearm() {
            Ok(hook) => Life::Armed {
                hook,
                pin,
                instead: None,
            },
            // Another backend may have the function once no call returns through this hook.
            Err((hook, _)) if self.choice(context) == Choice::Auto => Life::Draining {
                left: Left { hook, pin },
                next: Next::Renew,
            },
            Err((hook, error)) => Life::Failed {
                why: Refusal::of(hook.backend(), error),
                left: Some(Left { hook, pin }),
            },
        }
    }

    /// Lets no further call in. What calls in flight return through stays.
    pub(crate) fn disarm(&mut self) {
        match mem::replace(&mut self.life, Life::Stopped(None)) {
            Life::Armed { hook, pin, .. } => {
                self.missed_before = self.missed_before.plus(hook.missed());
                match hook.disarm() {
                    Some(hook) => self.life = Life::Stopped(Some(Left { hook, pin })),
                    None => self.give_up_in_flight(),
                }
            }
            other => self.life = other,
        }
    }

    /// The calls in flight will not be seen to return.
    fn give_up_in_flight(&self) {
        if let (Some(cells), Ok(in_flight)) = (&self.cells, self.in_flight()) {
            cells.give_up(in_flight);
        }
    }

    /// Has what is left of a disarmed hook freed once no call returns through it. False: nothing is.
    ///
    /// The caller is to [synchronize](super::hook::synchronize) while it still has the lock.
    pub(crate) fn drain(&mut self, next: Next) -> bool {
        match mem::replace(&mut self.life, Life::Stopped(None)) {
            Life::Stopped(Some(left))
            | Life::Failed {
                left: Some(left), ..
            }
            | Life::Draining {
                left,
                next: Next::Renew,
            } => self.life = Life::Draining { left, next },
            other => self.life = other,
        }
        self.is_draining()
    }

    /// Whether it was draining, and no call is in flight any more.
    pub(crate) fn has_drained(&self) -> Result<bool> {
        Ok(self.is_draining() && self.in_flight()? == 0)
    }

    /// Frees what was draining. True: the probe is to stay.
    ///
    /// The caller has [synchronized](super::hook::synchronize) since [`Probe::has_drained`].
    pub(crate) fn release(&mut self) -> bool {
        let stays = !self.is_leaving();
        self.life = Life::Stopped(None);
        stays
    }

    /// The module with the function goes, and what is in flight in it does, too. True: the probe is
    /// to stay, for when it comes back.
    pub(crate) fn module_gone(&mut self) -> bool {
        self.give_up_in_flight();
        let stays = self.release();
        self.life = Life::Gone;
        stays
    }

    fn in_flight(&self) -> Result<u64> {
        self.cells
            .as_ref()
            .map_or(Ok(0), |cells| Ok(cells.totals()?.in_flight))
    }

    /// Forgets all samples. The epoch is closed.
    pub(crate) fn reset(&mut self) {
        if let Some(cells) = &self.cells {
            cells.reset();
        }
        self.missed_base = self.missed_in_all();
    }

    fn missed_in_all(&self) -> Missed {
        match &self.life {
            Life::Armed { hook, .. } => self.missed_before.plus(hook.missed()),
            _ => self.missed_before,
        }
    }

    /// Hits lost since the last reset.
    pub(crate) fn missed(&self) -> Missed {
        self.missed_in_all().minus(self.missed_base)
    }

    /// All samples since the last reset.
    pub(crate) fn totals(&self) -> Result<Totals> {
        self.cells
            .as_ref()
            .map_or_else(totals::none, |cells| cells.totals())
    }

    /// Those of one CPU.
    pub(crate) fn totals_on(&self, cpu: u32) -> Result<Totals> {
        self.cells
            .as_ref()
            .map_or_else(totals::none, |cells| cells.totals_of([cpu].into_iter()))
    }
}
