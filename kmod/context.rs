// SPDX-License-Identifier: GPL-2.0

//! What arming a probe depends on, besides the probe.

use super::{
    calibration::{Calibration, Cost},
    marking_cost::MarkingCosts,
    target::Costs,
};
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
    /// While marks are on.
    pub(crate) marking_costs: Option<MarkingCosts>,
}

impl ArmingContext {
    /// What a hit costs with `backend`, if it leaves marks or not; nothing where that was not found
    /// out.
    pub(crate) fn costs(&self, backend: Backend, marks: bool) -> Costs {
        let plain = self
            .calibration
            .as_ref()
            .and_then(|calibration| calibration.hot(backend));
        let marking = self.marking_costs.as_ref().filter(|_| marks);
        plain
            .and_then(|plain| marking.map_or(Some(plain), |marking| marking.of(backend, plain)))
            .map(Cost::of_one)
            .unwrap_or_default()
    }
}
