// SPDX-License-Identifier: GPL-2.0

//! Tests over repetitions, which decide claims.

use super::claim::{Claim, Measure, Outcome, Tested};
use crate::numbers::{percent, short};
use crate::repetitions::{level, ratio, Estimate, ALPHA};
use crate::study::Series;

/// Figures that differ by no more than this part are nearly the same.
pub const MARGIN: f64 = 0.10;

/// What is more by no more than this part is not more. Chosen after the lab's first figures had been seen, which
/// the report says: for later studies it is a margin chosen before.
const NEGLIGIBLE: f64 = 0.02;

/// A figure of each repetition, under its name; twice where the probes' own cost decides it: with the
/// least and with the most that they may cost.
pub struct Side<'a> {
    pub name: &'a str,
    pub floors: Vec<Series>,
}

impl<'a> Side<'a> {
    pub fn new(name: &'a str, series: Series) -> Self {
        Self {
            name,
            floors: vec![series],
        }
    }

    fn told(&self) -> String {
        let values = self.floors.first().into_iter().flatten();
        let values: Vec<f64> = values
            .map(|(_, value)| *value)
            .filter(|value| value.is_finite())
            .collect();
        match values.len() {
            0 => format!("{} none", self.name),
            n => format!(
                "{} {}",
                self.name,
                short(values.iter().sum::<f64>() / n as f64)
            ),
        }
    }

    fn at(&self, floor: usize) -> &Series {
        &self.floors[floor.min(self.floors.len() - 1)]
    }
}

fn ratios(
    one: &Side,
    other: &Side,
    tested: impl Fn(&Estimate) -> Tested,
) -> Result<Tested, String> {
    let floors = one.floors.len().max(other.floors.len());
    let each = (0..floors).map(|floor| {
        let estimate = ratio(one.at(floor), other.at(floor));
        estimate
            .map(|estimate| tested(&estimate))
            .map_err(|few| few.to_string())
    });
    each.reduce(|one, other| Ok(one?.or(other?)))
        .unwrap_or_else(|| Err("nothing to compare".into()))
}

/// Whether a ratio is above 1.
pub fn above_one(one: &Series, other: &Series) -> Outcome {
    match ratio(one, other) {
        Ok(estimate) if estimate.p(1.0) >= ALPHA => Outcome::Undecided(String::new()),
        Ok(estimate) if estimate.value() > 1.0 => Outcome::Holds,
        Ok(_) => Outcome::Contradicted,
        Err(few) => Outcome::Undecided(few.to_string()),
    }
}

/// `one` is greater than `other`.
pub fn greater(text: String, one: Side, other: Side) -> Claim {
    let tested = ratios(&one, &other, |estimate| {
        let against = (2.0 * estimate.p_below(1.0 + NEGLIGIBLE)).min(1.0);
        Tested {
            against,
            against_holm: against,
            ..Tested::against_bound(estimate, 1.0, true)
        }
    });
    let values = format!("{}, {}", one.told(), other.told());
    Claim::new(text, values, Measure::Ratio, tested)
}

/// `one` and `other` differ by no more than [`MARGIN`].
pub fn similar(text: String, one: Side, other: Side) -> Claim {
    let margin = (1.0 / (1.0 + MARGIN), 1.0 + MARGIN);
    let tested = ratios(&one, &other, |estimate| Tested::within(estimate, margin));
    let values = format!("{}, {}", one.told(), other.told());
    let mut claim = Claim::new(text, values, Measure::Ratio, tested);
    if let Ok(tested) = &claim.tested {
        let seen = tested.low > 1.0 || tested.high < 1.0;
        claim.beside = match seen {
            true => "; a difference is seen, as in the paper".into(),
            false => "; no difference is seen".into(),
        };
    }
    claim
}

/// On which side of it a claim says that a measure is.
#[derive(Clone, Copy)]
pub enum Bound {
    Above(f64),
    Below(f64),
}

/// A measure is above or below a bound.
pub fn bounded(text: String, measure: Measure, series: &Series, bound: Bound) -> Claim {
    let (value, above) = match bound {
        Bound::Above(value) => (value, true),
        Bound::Below(value) => (value, false),
    };
    let tested = level(series)
        .map(|estimate| Tested::against_bound(&estimate, value, above))
        .map_err(|few| few.to_string());
    let there: Vec<f64> = series
        .values()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let average = match there.len() {
        0 => "none".into(),
        n => measure.shown(there.iter().sum::<f64>() / n as f64),
    };
    let side = if above { "above" } else { "below" };
    let values = format!("{average}, to be {side} {}", measure.shown(value));
    Claim::new(text, values, measure, tested)
}

/// What the tests of claims that are judged together decide.
pub fn decide(claims: &mut [Claim]) {
    let known: Vec<usize> = (0..claims.len())
        .filter(|&at| claims[at].tested.is_ok())
        .collect();
    let against = known
        .iter()
        .filter_map(|&at| Some(claims[at].tested.as_ref().ok()?.against));
    let adjusted = xcap_stats::holm(&against.collect::<Vec<_>>());
    for (at, holm) in known.into_iter().zip(adjusted) {
        if let Ok(tested) = &mut claims[at].tested {
            tested.against_holm = holm;
        }
    }
    for claim in claims {
        claim.outcome = match &claim.tested {
            Ok(tested) if tested.hold < ALPHA => Outcome::Holds,
            Ok(tested) if tested.against_holm < ALPHA => Outcome::Contradicted,
            Ok(tested) => Outcome::Undecided(undecided(claim.measure, tested)),
            Err(reason) => Outcome::Undecided(reason.clone()),
        };
    }
}

/// What could have been seen, and what would decide.
fn undecided(measure: Measure, tested: &Tested) -> String {
    let seen = match measure {
        Measure::Ratio => format!(
            "a ratio of {} would have been seen",
            short(tested.detectable)
        ),
        Measure::Share => format!(
            "{} more or less would have been seen",
            percent(tested.detectable)
        ),
        _ => format!("{:.2} more or less would have been seen", tested.detectable),
    };
    match tested.needed {
        Some(needed) if needed < 1000.0 => {
            format!("{seen}; about {needed:.0} repetitions would decide")
        }
        _ => seen,
    }
}
