// SPDX-License-Identifier: GPL-2.0

//! Whether a stage's figures can be of one set of samples.

use num_traits::Signed;
use xcap_abi::histogram::bucket;

use crate::moments::Moments;
use crate::stats::Stage;

/// Whose figures a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    AllCpus,
    /// Calls that were entered here may have returned elsewhere.
    OneCpu,
}

impl Scope {
    /// What to do with a file of the other kind.
    pub fn other(self) -> &'static str {
        match self {
            Self::AllCpus => "the figures of one CPU each: xcap-read --per-cpu reads them",
            Self::OneCpu => "no column `cpu`: --per-cpu reads what the module's file per_cpu has",
        }
    }
}

/// Says which figures contradict each other; approximate stages are let pass.
pub fn stage(stage: &Stage, scope: Scope) -> Result<(), String> {
    let name = &stage.stage;
    let mut derived = stage.clone();
    derived.derive();
    require(stage.missed == derived.missed, || {
        format!(
            "{name}: missed is {}, its causes add up to {}",
            stage.missed, derived.missed
        )
    })?;
    if !stage.exact {
        return Ok(());
    }
    let count = stage.count;
    let accounted = u128::from(count) + u128::from(stage.missed) + u128::from(stage.in_flight);
    let agree = match scope {
        Scope::AllCpus => u128::from(stage.entries) == accounted,
        // Below zero they wrap.
        Scope::OneCpu => stage.entries == accounted as u64,
    };
    require(agree, || {
        format!(
            "{name}: entries is {}, count + missed + in_flight is {accounted}",
            stage.entries
        )
    })?;
    let total = stage.histogram.total();
    require(u128::from(count) == total, || {
        format!("{name}: count is {count}, the histogram holds {total}")
    })?;
    let with_self =
        u128::from(stage.self_count) + u128::from(stage.migrated) + u128::from(stage.switched);
    require(with_self <= u128::from(count), || {
        format!("{name}: self_count + migrated + switched is {with_self}, count only {count}")
    })?;
    require(stage.self_sum <= stage.sum, || {
        format!(
            "{name}: self_sum is {}, sum only {}",
            stage.self_sum, stage.sum
        )
    })?;
    moments(name, &Moments::of(stage))?;
    extremes(stage)
}

fn moments(name: &str, moments: &Moments) -> Result<(), String> {
    let possible = match moments.count {
        0 => moments.sum == 0 && moments.sumsq == 0,
        _ => !moments.spread().is_negative(),
    };
    require(possible, || {
        format!(
            "{name}: no {} samples have sum {} and sumsq {}",
            moments.count, moments.sum, moments.sumsq
        )
    })
}

fn extremes(stage: &Stage) -> Result<(), String> {
    let name = &stage.stage;
    let (Some(min), Some(max)) = (stage.min, stage.max) else {
        return Ok(());
    };
    let (count, sum) = (u128::from(stage.count), stage.sum);
    require(
        u128::from(min) * count <= sum && sum <= u128::from(max) * count,
        || format!("{name}: no {count} samples from {min} to {max} have sum {sum}"),
    )?;
    let buckets = &stage.histogram.0;
    for (word, value, end) in [
        ("min", min, buckets.keys().next()),
        ("max", max, buckets.keys().next_back()),
    ] {
        require(end == Some(&bucket(value)), || {
            format!("{name}: {word} is {value}, the histogram says otherwise")
        })?;
    }
    Ok(())
}

fn require(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(fault())
    }
}
