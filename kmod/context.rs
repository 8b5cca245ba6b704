// SPDX-License-Identifier: GPL-2.0

//! What arming a probe depends on, besides the probe.

use super::{calibration::Calibration, target::Costs};
use crate::abi::{
    backend::{Backend, Choice},
    role::Role,
};

/// What arming depends on.
pub(crate) struct ArmingContext {
    pub(crate) role: Role,
    /// For probes that have no backend of their own.
    pub(crate) choice: Choice,
    pub(crate) calibration: Option<Calibration>,
}

impl ArmingContext {
    /// What a hit costs with `backend`; nothing where it was not found out.
    pub(crate) fn costs(&self, backend: Backend) -> Costs {
        self.calibration
            .as_ref()
            .and_then(|calibration| calibration.costs(backend))
            .unwrap_or_default()
    }
}
