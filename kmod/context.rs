// SPDX-License-Identifier: GPL-2.0

//! What arming a probe depends on, besides the probe.

use super::{
    calibration::Calibration, marking_cost::MarkingCosts, scope::Scope, scoping_cost::ScopingCosts,
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
    /// Since `only` first gave a probe a scope.
    pub(crate) scoping_costs: Option<ScopingCosts>,
}

impl ArmingContext {
    /// What a hit costs with `backend`, if it leaves marks or not, and where calls have to be in a
    /// scope; nothing where that was not found out.
    pub(crate) fn costs(&self, backend: Backend, marks: bool, scope: Option<Scope>) -> Costs {
        let Some(plain) = self.calibration.as_ref().and_then(|one| one.hot(backend)) else {
            return Costs::default();
        };
        let marking = self.marking_costs.as_ref().filter(|_| marks);
        let hit = match marking.map(|marking| marking.of(backend, plain)) {
            Some(Some(marked)) => marked,
            Some(None) => return Costs::default(),
            None => plain,
        };
        let costs = hit.of_one();
        let scoping = scope.zip(self.scoping_costs.as_ref());
        let Some(scoped) = scoping.and_then(|(scope, costs)| costs.of(backend, scope.same, plain))
        else {
            return costs;
        };
        let whole = scoped.within.of_one().whole();
        Costs {
            outside: costs.outside + whole.saturating_sub(plain.of_one().whole()),
            away: scoped.away.of_one().whole(),
            ..costs
        }
    }
}
