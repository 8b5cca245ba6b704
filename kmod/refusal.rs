// SPDX-License-Identifier: GPL-2.0

//! Why a function has not the backend that it might have.

use super::errors;
use crate::abi::{backend::Backend, reason::Reason};
use kernel::prelude::*;

/// Why a backend did not get a function.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// For a reason that has a word.
    Known(Reason),
    /// The kernel gave this error.
    Kernel(Error),
}

impl Refusal {
    /// What `error` means of `backend`.
    pub(crate) fn of(backend: Backend, error: Error) -> Self {
        match (backend, error) {
            (Backend::Direct, EBUSY) => Refusal::Known(Reason::DirectTaken),
            (Backend::Direct, ENOSPC) => Refusal::Known(Reason::NoSlot),
            (Backend::Fprobe | Backend::Kretprobe, EINVAL | ENOENT) => {
                Refusal::Known(Reason::NotProbeable)
            }
            (_, error) => Refusal::Kernel(error),
        }
    }

    /// Whether the kernel forbids all probes on the function.
    pub(crate) fn forbids(self) -> bool {
        matches!(self, Refusal::Known(Reason::NotProbeable))
    }

    pub(crate) fn reason(self) -> Reason {
        match self {
            Refusal::Known(reason) => reason,
            Refusal::Kernel(_) => Reason::Refused,
        }
    }

    /// The error that it is for whoever asked for the probe.
    pub(crate) fn error(self) -> Error {
        match self {
            Refusal::Kernel(error) => error,
            Refusal::Known(Reason::NoSuchFunction) => ENOENT,
            Refusal::Known(Reason::DirectTaken) => EBUSY,
            Refusal::Known(
                Reason::ArgumentsOnStack
                | Reason::ArgumentsUnknown
                | Reason::WorkIsArgument
                | Reason::NeverReturns,
            ) => errors::unsupported(),
            Refusal::Known(Reason::NoSlot) => ENOSPC,
            Refusal::Known(_) => EINVAL,
        }
    }
}
