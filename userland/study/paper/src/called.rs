// SPDX-License-Identifier: GPL-2.0

//! Which of a stage's functions a run is of: cards and kernels differ in which they call.

use std::cmp::Reverse;

use xcap_stats::Stage;

/// The function of a stage that was called most, the first of those called alike: what calls the stage's others comes
/// after them. None, where the kernel has no function for it.
pub fn called<'a>(stages: &'a [Stage], name: &str) -> Option<&'a Stage> {
    let there = |stage: &&Stage| stage.stage == name && stage.function.is_some();
    stages
        .iter()
        .filter(there)
        .min_by_key(|stage| Reverse(stage.count))
}
