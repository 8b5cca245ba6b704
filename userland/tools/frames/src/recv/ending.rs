// SPDX-License-Identifier: GPL-2.0

//! What ends a capture.

use xcap_frames::CapturedUntil;

/// What ended the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Count,
    Silence,
    /// SIGINT or SIGTERM.
    Signal,
    Timeout,
    /// With what the system said.
    Failure(String),
}

impl Ending {
    pub fn kind(&self) -> CapturedUntil {
        match self {
            Self::Count => CapturedUntil::Count,
            Self::Silence => CapturedUntil::Silence,
            Self::Signal => CapturedUntil::Signal,
            Self::Timeout => CapturedUntil::Timeout,
            Self::Failure(_) => CapturedUntil::Failure,
        }
    }
}
