// SPDX-License-Identifier: GPL-2.0

//! Whether a stage's figures can be of one set of samples.

use num_traits::Signed;
use xcap_abi::histogram::bucket;

use crate::{Moments, Stage};

/// Says which figures contradict each other; approximate stages are let pass.
pub fn stage(stage: &Stage) -> Result<(), String> {
    let name = &stage.name;
    let missed = stage.missed_by.total();
    require(u128::from(stage.missed) == missed, || {
        format!(
            "{name}: missed is {}, its causes add up to {missed}",
            stage.missed
        )
    })?;
    if !stage.exact {
        return Ok(());
    }
    let count = stage.moments.count;
    let accounted = u128::from(count) + u128::from(stage.missed) + u128::from(stage.in_flight);
    require(u128::from(stage.entries) == accounted, || {
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
    require(stage.self_sum <= stage.moments.sum, || {
        format!(
            "{name}: self_sum is {}, sum only {}",
            stage.self_sum, stage.moments.sum
        )
    })?;
    moments(name, &stage.moments)?;
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
    let name = &stage.name;
    let (Some(min), Some(max)) = (stage.min, stage.max) else {
        return Ok(());
    };
    let Moments { count, sum, .. } = stage.moments;
    let count = u128::from(count);
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
