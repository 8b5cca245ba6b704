// SPDX-License-Identifier: GPL-2.0

//! What happened between two readings.

use crate::{Error, Histogram, Missed, Moments, Stage, Stats};

/// Subtracts `before` from `after`, stage by stage.
///
/// Counts, moments, causes of misses and histograms are differences; state,
/// calls in flight, clock and costs are those of `after`. The extremes can't be
/// told, but for stages that had no sample before.
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
    Ok(Stats {
        stages,
        is_difference: true,
        ..after.clone()
    })
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
    then.name == now.name && then.function == now.function && then.backend == now.backend
}

fn subtract(then: &Stage, now: &Stage) -> Result<Stage, Error> {
    let less = Less { name: &now.name };
    let untouched = then.moments.count == 0;
    Ok(Stage {
        moments: less.moments(&then.moments, &now.moments)?,
        min: now.min.filter(|_| untouched),
        max: now.max.filter(|_| untouched),
        entries: less.counter("entries", then.entries, now.entries)?,
        missed: less.counter("missed", then.missed, now.missed)?,
        missed_by: Missed {
            pool: less.counter("missed_pool", then.missed_by.pool, now.missed_by.pool)?,
            busy: less.counter("missed_busy", then.missed_by.busy, now.missed_by.busy)?,
            straddled: less.counter(
                "missed_straddled",
                then.missed_by.straddled,
                now.missed_by.straddled,
            )?,
            negative: less.counter(
                "missed_negative",
                then.missed_by.negative,
                now.missed_by.negative,
            )?,
        },
        migrated: less.counter("migrated", then.migrated, now.migrated)?,
        switched: less.counter("switched", then.switched, now.switched)?,
        self_count: less.counter("self_count", then.self_count, now.self_count)?,
        self_sum: less.sum("self_sum", then.self_sum, now.self_sum)?,
        work: less.counter("work", then.work, now.work)?,
        nested_cost: less.sum("nested_cost", then.nested_cost, now.nested_cost)?,
        nested_outside: less.sum("nested_outside", then.nested_outside, now.nested_outside)?,
        exact: then.exact && now.exact,
        histogram: less.histogram(&then.histogram, &now.histogram)?,
        ..now.clone()
    })
}

/// Subtraction that names the stage and the figure that went backwards.
struct Less<'a> {
    name: &'a str,
}

impl Less<'_> {
    fn counter(&self, figure: &str, then: u64, now: u64) -> Result<u64, Error> {
        // The difference is at most `now`, so it fits.
        self.sum(figure, then.into(), now.into())
            .map(|difference| difference as u64)
    }

    fn sum(&self, figure: &str, then: u128, now: u128) -> Result<u128, Error> {
        now.checked_sub(then).ok_or_else(|| {
            Error::Incomparable(format!(
                "{} of {} fell from {then} to {now}: reset or loaded anew in between, or BEFORE and AFTER swapped",
                figure, self.name
            ))
        })
    }

    fn moments(&self, then: &Moments, now: &Moments) -> Result<Moments, Error> {
        Ok(Moments {
            count: self.counter("count", then.count, now.count)?,
            sum: self.sum("sum", then.sum, now.sum)?,
            sumsq: self.sum("sumsq", then.sumsq, now.sumsq)?,
        })
    }

    fn histogram(&self, then: &Histogram, now: &Histogram) -> Result<Histogram, Error> {
        let mut difference = now.clone();
        for (&bucket, &count) in &then.0 {
            let left = difference.0.entry(bucket).or_default();
            *left = self.counter("histogram", count, *left)?;
        }
        difference.0.retain(|_, count| *count > 0);
        Ok(difference)
    }
}
