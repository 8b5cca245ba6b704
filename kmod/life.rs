// SPDX-License-Identifier: GPL-2.0

//! The life of a probe: each state with what it has, and with no more.
//!
//! ```text
//!             ┌───────── the function is looked for ─────────┐
//!             ▼                                              │
//!   Stopped(none) ──arm──▶ Armed ──disarm──▶ Stopped(left)   Absent, Blacklisted, Gone,
//!        │  ▲                ▲                 │    │        Failed(none)
//!        │  │                └──────arm────────┘    │
//!        │  └────── no call in flight ── Draining ◀─┘ drain
//!        └─ arm, refused ─▶ Blacklisted, Failed
//! ```

use super::{
    hook::{Disarmed, Hook},
    refusal::Refusal,
    this_module::Pin,
};
use crate::abi::{reason::Reason, state::State};

/// What a probe is in, and what it has there.
pub(crate) enum Life {
    /// There is no function to hook.
    Absent(Reason),
    /// The kernel forbids probes on the function.
    Blacklisted(Refusal),
    /// The module with the function was unloaded.
    Gone,
    /// Not hooked, though the function is there.
    Stopped(Option<Left>),
    /// Calls are being timed.
    Armed {
        hook: Hook,
        /// Taken where calls may sleep in the hook's text.
        pin: Option<Pin>,
        /// Why it is not the backend that was to be expected.
        instead: Option<Refusal>,
    },
    /// Not hooked, and not to be before the last call has returned.
    Draining { left: Left, next: Next },
    /// No backend that was wanted got the function.
    Failed { why: Refusal, left: Option<Left> },
}

/// What calls in flight return through.
pub(crate) struct Left {
    // In this order, so that the text is in use no more when it is not pinned.
    pub(crate) hook: Disarmed,
    pub(crate) pin: Option<Pin>,
}

/// What comes after draining.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Next {
    /// Another hook.
    Renew,
    /// Nothing: `del` was written.
    Delete,
}

impl Life {
    /// The column `state`.
    pub(crate) fn state(&self) -> State {
        match self {
            Life::Absent(_) => State::Absent,
            Life::Blacklisted(_) => State::Blacklisted,
            Life::Gone => State::Gone,
            Life::Stopped(_) => State::Stopped,
            Life::Armed { .. } => State::Armed,
            Life::Draining { .. } => State::Draining,
            Life::Failed { .. } => State::Failed,
        }
    }

    /// Why it is in this state.
    pub(crate) fn why(&self) -> Option<Refusal> {
        match self {
            Life::Absent(reason) => Some(Refusal::Known(*reason)),
            Life::Blacklisted(why) | Life::Failed { why, .. } => Some(*why),
            Life::Gone => Some(Refusal::Known(Reason::ModuleUnloaded)),
            Life::Stopped(_) => Some(Refusal::Known(Reason::Stopped)),
            Life::Armed { instead, .. } => *instead,
            Life::Draining { .. } => Some(Refusal::Known(Reason::InFlight)),
        }
    }

    /// Whether there is a hook, or what is left of one.
    pub(crate) fn has_hook(&self) -> bool {
        match self {
            Life::Armed { .. } | Life::Draining { .. } => true,
            Life::Stopped(left) | Life::Failed { left, .. } => left.is_some(),
            Life::Absent(_) | Life::Blacklisted(_) | Life::Gone => false,
        }
    }
}
