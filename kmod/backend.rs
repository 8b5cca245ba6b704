// SPDX-License-Identifier: GPL-2.0

//! The seam behind which functions are hooked, one backend or another.

use super::{
    bindings,
    cell::{Cells, Constants, Frame},
    direct, fprobe, kretprobe,
    stages::Work,
};
use crate::abi::format;
use kernel::{prelude::*, str::CStr};

/// How a function is hooked.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Backend {
    Kretprobe,
    Fprobe,
    Direct,
}

impl Backend {
    pub(crate) const ALL: [Backend; 3] = [Backend::Kretprobe, Backend::Fprobe, Backend::Direct];

    /// Its word in output and in `backend=`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Backend::Kretprobe => format::backend::KRETPROBE,
            Backend::Fprobe => format::backend::FPROBE,
            Backend::Direct => format::backend::DIRECT,
        }
    }
}

/// Which backend is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Choice {
    /// The cheapest that is safe for the function and not taken.
    Auto,
    This(Backend),
}

impl Choice {
    /// From its word: a backend's, or `auto`.
    pub(crate) fn parse(word: &[u8]) -> Result<Self> {
        if word == b"auto" {
            return Ok(Choice::Auto);
        }
        Backend::ALL
            .into_iter()
            .find(|backend| backend.word().as_bytes() == word)
            .map(Choice::This)
            .ok_or(EINVAL)
    }

    /// The module parameter `backend`.
    pub(crate) fn parameter() -> Result<Self> {
        // SAFETY: The parameter is a C string that nobody changes (its mode is 0444).
        let word = unsafe { CStr::from_ptr(bindings::xcap_backend.cast()) };
        Self::parse(word.to_bytes()).inspect_err(|_| {
            pr_err!("backend={word:?}: not one of auto, direct, fprobe, kretprobe\n");
        })
    }
}

/// What a backend has to know of a function.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: usize,
    pub(crate) sleeps: bool,
    /// From the stage table, which is short.
    pub(crate) is_stage: bool,
    /// May return a value in two registers.
    pub(crate) returns_wide: bool,
    pub(crate) work: Work,
    pub(crate) costs: Costs,
}

/// What a hit costs, in cycles, as calibrated.
#[derive(Clone, Copy, Default)]
pub(crate) struct Costs {
    pub(crate) inside: u32,
    pub(crate) outside: u32,
}

impl Target {
    /// What the cells have to know of it.
    pub(crate) fn constants(&self) -> Constants {
        Constants {
            work_mask: match self.work {
                Work::None => 0,
                // A count is not negative.
                Work::Returned => i32::MAX as u64,
                Work::Argument(_) => u64::from(u32::MAX),
            },
            outside: self.costs.outside,
            cost: self.costs.inside.saturating_add(self.costs.outside),
        }
    }
}

/// What the handlers of kretprobe and fprobe keep with a call.
#[repr(C)]
pub(crate) struct Call {
    pub(crate) frame: Frame,
    /// The argument that is work.
    pub(crate) argument: u64,
    /// Which arming of the hook the call belongs to.
    pub(crate) arming: u64,
}

/// A function that is being timed, until dropped: afterwards no handler runs. For a direct hook see
/// [`direct::Hook`].
pub(crate) enum Hook {
    Kretprobe(kretprobe::Hook),
    Fprobe(fprobe::Hook),
    Direct(direct::Hook),
}

/// Hits that a hook lost.
#[derive(Clone, Copy, Default)]
pub(crate) struct Missed {
    /// No room to keep the entry time.
    pub(crate) pool: u64,
    /// Inside another probe's handler.
    pub(crate) busy: u64,
}

impl Hook {
    /// Times the function from here on.
    pub(crate) fn arm(backend: Backend, target: &Target, cells: &Cells) -> Result<Self> {
        Ok(match backend {
            Backend::Kretprobe => Hook::Kretprobe(kretprobe::Hook::arm(target, cells)?),
            Backend::Fprobe => Hook::Fprobe(fprobe::Hook::arm(target, cells)?),
            Backend::Direct => Hook::Direct(direct::Hook::arm(target, cells)?),
        })
    }

    /// What the kernel counted as lost since the hook was armed.
    pub(crate) fn missed(&self) -> Missed {
        match self {
            Hook::Kretprobe(hook) => hook.missed(),
            Hook::Fprobe(hook) => hook.missed(),
            Hook::Direct(_) => Missed::default(),
        }
    }
}
