// SPDX-License-Identifier: GPL-2.0

//! The seam behind which functions are hooked, by one backend or another.
//!
//! Nothing on this side of it asks which backend that is: only whether calls return through what a
//! disarmed hook leaves behind.

use super::{
    cells::Cells, direct, fprobe, kretprobe, missed::Missed, own_stack::OwnStack, target::Target,
};
use crate::abi::backend::Backend;
use kernel::prelude::*;

/// A function that is being timed, until it is disarmed.
pub(crate) enum Hook {
    Kretprobe(kretprobe::Hook),
    Fprobe(fprobe::Hook),
    Direct(direct::Hook),
}

/// A hook that lets no call in, and that calls in flight return through.
///
/// Drop it only when no call is in flight, and [`synchronize`] was called after disarming and
/// again when the last had returned.
pub(crate) struct Disarmed(direct::Hook);

impl Hook {
    /// Times the function from here on.
    pub(crate) fn arm(backend: Backend, target: &Target, cells: &Cells) -> Result<Self> {
        Ok(match backend {
            Backend::Kretprobe => Hook::Kretprobe(kretprobe::Hook::arm(target, cells)?),
            Backend::Fprobe => Hook::Fprobe(fprobe::Hook::arm(target, cells)?),
            Backend::Direct => Hook::Direct(direct::Hook::arm(target, cells)?),
        })
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Hook::Kretprobe(_) => Backend::Kretprobe,
            Hook::Fprobe(_) => Backend::Fprobe,
            Hook::Direct(_) => Backend::Direct,
        }
    }

    /// How the function's entry reaches it, where there are several ways.
    pub(crate) fn variant(&self) -> Option<&'static str> {
        match self {
            Hook::Kretprobe(_) | Hook::Fprobe(_) => None,
            Hook::Direct(hook) => Some(hook.variant().word()),
        }
    }

    /// What the kernel counted as lost since the hook was armed.
    pub(crate) fn missed(&self) -> Missed {
        match self {
            Hook::Kretprobe(hook) => hook.missed(),
            Hook::Fprobe(hook) => hook.missed(),
            Hook::Direct(_) => Missed::default(),
        }
    }

    /// Lets no further call in. Nothing left: no handler runs any more, and calls in flight return
    /// through the kernel's own text.
    pub(crate) fn disarm(self) -> Option<Disarmed> {
        match self {
            Hook::Kretprobe(_) | Hook::Fprobe(_) => None,
            Hook::Direct(mut hook) => {
                hook.disarm();
                Some(Disarmed(hook))
            }
        }
    }
}

impl Disarmed {
    pub(crate) fn backend(&self) -> Backend {
        Backend::Direct
    }

    /// Whether the current task is in a call that returns through it.
    pub(crate) fn is_on(&self, stack: &OwnStack) -> bool {
        self.0.is_on(stack)
    }

    /// Lets calls in again; where the kernel refuses, all is as it was.
    pub(crate) fn rearm(mut self) -> core::result::Result<Hook, (Self, Error)> {
        match self.0.rearm() {
            Ok(()) => Ok(Hook::Direct(self.0)),
            Err(error) => Err((self, error)),
        }
    }
}

/// Whether calls return through text of xcap's own, which they may be asleep in.
pub(crate) fn pins_sleepers(backend: Backend) -> bool {
    backend == Backend::Direct
}

/// Waits until no task is where its call is not yet, or no longer, counted as in flight.
pub(crate) fn synchronize() {
    direct::synchronize();
}
