// SPDX-License-Identifier: GPL-2.0

//! What happened between two readings.

use xcap_abi::rules::Decrease;

use crate::error::Error;
use crate::stats::{Stage, Stats};

/// Subtracts `before` from `after`, stage by stage.
///
/// Counts, moments, causes of misses and histograms are differences; state,
/// calls in flight, clock and costs are those of `after`. The extremes can't be
/// told, but for stages that had no sample before. The functions of a stage are
/// added up.
pub fn difference(before: &Stats, after: &Stats) -> Result<Stats, Error> {
    same("kernel", &before.kernel, &after.kernel)?;
    same("role", &before.role, &after.role)?;
    same("TSC frequency", &before.tsc_khz, &after.tsc_khz)?;
    let stages = after
        .stages
        .iter()
        .map(
            |now| match before.stages.iter().find(|then| matches(then, now)) {
                Some(then) => subtract(then, now),
                None => Ok(now.clone()),
            },
        )
        .collect::<Result<_, _>>()?;
    let difference = Stats {
        stages,
        is_difference: true,
        ..after.clone()
    };
    Ok(difference.joined())
}

fn same<T: PartialEq + std::fmt::Display>(what: &str, before: &T, after: &T) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    Err(Error::Incomparable(format!(
        "{what} was '{before}' before and '{after}' after: not of one machine's run"
    )))
}

fn matches(then: &Stage, now: &Stage) -> bool {
    then.stage == now.stage && then.function == now.function && then.backend == now.backend
}

fn subtract(then: &Stage, now: &Stage) -> Result<Stage, Error> {
    now.since(then).map_err(|Decrease { column, then, now: fallen }| {
        Error::Incomparable(format!(
            "{column} of {} fell from {then} to {fallen}: reset or loaded anew in between, or BEFORE and AFTER swapped",
            now.stage
        ))
    })
}
