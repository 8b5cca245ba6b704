// SPDX-License-Identifier: GPL-2.0

//! Hooks a function with the first backend that may have it and gets it.

use super::{
    btf::Types,
    cells::Cells,
    context::ArmingContext,
    hook::{self, Hook},
    life::Life,
    marking::Marking,
    noreturns::may_not_return,
    refusal::Refusal,
    scope::Scope,
    symbols::Function,
    target::{Costs, Target},
    this_module::Pin,
};
use crate::abi::{
    backend::{eligible, Arguments, Backend, Choice, Facts},
    btf::Signature,
    stages::{Entry, Work},
};
use kernel::prelude::*;

/// A probe's function, and what its samples land in.
pub(crate) struct Arming<'a> {
    pub(crate) function: &'a Function,
    /// From the stage table; none: added by name.
    pub(crate) entry: Option<&'static Entry>,
    pub(crate) cells: &'a Cells,
    pub(crate) choice: Choice,
    /// How its calls leave marks, if they do.
    pub(crate) marking: Option<Marking>,
    /// Which of its calls count, if not all.
    pub(crate) scope: Option<Scope>,
}

impl Arming<'_> {
    /// Armed, blacklisted or failed.
    ///
    /// # Errors
    ///
    /// No memory, or the module goes: not what the function can help.
    pub(crate) fn arm(&self, context: &ArmingContext, types: &mut Types) -> Result<Life> {
        let signature = self.signature(types)?;
        let facts = self.facts(&signature);
        let mut instead = None;
        let mut forbidden = false;
        for backend in self.choice.backends() {
            let attempt = match eligible(backend, self.choice, &facts) {
                Ok(()) => self.hook(
                    backend,
                    &self.target(
                        &signature,
                        context.costs(backend, self.marking.is_some(), self.scope),
                    ),
                )?,
                Err(reason) => Err(Refusal::Known(reason)),
            };
            match attempt {
                Ok((hook, pin)) => return Ok(Life::Armed { hook, pin, instead }),
                Err(refusal) => {
                    forbidden |= refusal.forbids();
                    instead = Some(refusal);
                }
            }
        }
        Ok(match instead {
            Some(why) if forbidden => Life::Blacklisted(why),
            Some(why) => Life::Failed { why, left: None },
            // Nothing was tried.
            None => Life::Stopped(None),
        })
    }

    /// Whether a call may sleep: nothing is known of what is not in the table.
    fn may_sleep(&self) -> bool {
        self.entry.is_none_or(|entry| entry.sleeps)
    }

    fn work(&self) -> Work {
        self.entry.map_or(Work::None, |entry| entry.work)
    }

    /// How the function is called, as far as the choice can depend on it.
    fn signature(&self, types: &mut Types) -> Result<Signature> {
        match (self.entry, self.choice) {
            // Those of the table were looked at.
            (Some(_), _) => Ok(Signature {
                arguments: Arguments::InRegisters,
                returns_wide: false,
            }),
            (None, Choice::This(Backend::Direct)) => {
                types.signature(&self.function.name, self.function.module.as_deref())
            }
            // What may sleep gets no direct call without being asked for.
            (None, _) => Ok(Signature::UNKNOWN),
        }
    }

    fn facts(&self, signature: &Signature) -> Facts {
        Facts {
            may_sleep: self.may_sleep(),
            may_not_return: may_not_return(&self.function.name),
            work_is_argument: matches!(self.work(), Work::Argument(_)),
            arguments: signature.arguments,
        }
    }

    fn target(&self, signature: &Signature, costs: Costs) -> Target {
        Target {
            address: self.function.address,
            sleeps: self.may_sleep(),
            is_stage: self.entry.is_some(),
            returns_wide: signature.returns_wide,
            work: self.work(),
            costs,
            marking: self.marking,
            scope: self.scope,
        }
    }

    /// Hooks the function with `backend`, or says why the kernel did not let it.
    fn hook(
        &self,
        backend: Backend,
        target: &Target,
    ) -> Result<core::result::Result<(Hook, Option<Pin>), Refusal>> {
        let pin = if target.sleeps && hook::pins_sleepers(backend) {
            Some(Pin::take()?)
        } else {
            None
        };
        match Hook::arm(backend, target, self.cells) {
            Ok(hook) => Ok(Ok((hook, pin))),
            Err(error) if error == ENOMEM => Err(error),
            Err(error) => Ok(Err(Refusal::of(backend, error))),
        }
    }
}
