// SPDX-License-Identifier: GPL-2.0

//! Tests over repetitions, which decide claims.

use super::claim::{Claim, Outcome};
use crate::compare::{equivalence, level, ratio, Estimate, ALPHA};
use crate::numbers::{percent, probability, short};
use crate::study::Series;

/// Figures that differ by no more than this part are nearly the same.
pub const MARGIN: f64 = 0.10;

fn average(series: &Series) -> String {
    match series.len() {
        0 => "none".into(),
        n => short(series.values().sum::<f64>() / n as f64),
    }
}

fn both(one: &(&str, Series), other: &(&str, Series)) -> String {
    let told = |(name, series): &(&str, Series)| format!("{name} {}", average(series));
    format!("{}, {}", told(one), told(other))
}

fn tested(outcome: &Result<Estimate, String>, what: &str) -> String {
    match outcome {
        Ok(estimate) => format!(
            "{what} {} ({} to {}), {}, {} repetitions",
            short(estimate.value),
            short(estimate.low),
            short(estimate.high),
            probability(estimate.p),
            estimate.repetitions
        ),
        Err(reason) => reason.clone(),
    }
}

fn undecided(p: f64) -> Outcome {
    Outcome::Undecided(format!(
        "the repetitions differ too much among themselves, {}",
        probability(p)
    ))
}

/// Whether a ratio is above 1.
pub fn above_one(estimate: &Result<Estimate, String>) -> Outcome {
    match estimate {
        Ok(estimate) if estimate.p >= ALPHA => undecided(estimate.p),
        Ok(estimate) if estimate.value > 1.0 => Outcome::Holds,
        Ok(_) => Outcome::Contradicted,
        Err(reason) => Outcome::Undecided(reason.clone()),
    }
}

/// `one` is greater than `other`.
pub fn greater(text: String, one: (&str, Series), other: (&str, Series)) -> Claim {
    let estimate = ratio(&one.1, &other.1);
    let outcome = above_one(&estimate);
    Claim {
        text,
        values: both(&one, &other),
        test: tested(&estimate, "ratio"),
        outcome,
        by_median: None,
    }
}

/// `one` and `other` differ by no more than [`MARGIN`].
pub fn similar(text: String, one: (&str, Series), other: (&str, Series)) -> Claim {
    let (test, outcome) = match (equivalence(&one.1, &other.1), ratio(&one.1, &other.1)) {
        (Ok((low, high)), Ok(estimate)) => {
            let (least, most) = (1.0 / (1.0 + MARGIN), 1.0 + MARGIN);
            let outcome = if low > least && high < most {
                Outcome::Holds
            } else if estimate.low > most || estimate.high < least {
                Outcome::Contradicted
            } else {
                Outcome::Undecided(format!("the interval reaches beyond ±{}", percent(MARGIN)))
            };
            (tested(&Ok(estimate), "ratio"), outcome)
        }
        (Err(reason), _) | (_, Err(reason)) => (reason.clone(), Outcome::Undecided(reason)),
    };
    Claim {
        text,
        values: both(&one, &other),
        test,
        outcome,
        by_median: None,
    }
}

/// What is held against a bound.
#[derive(Clone, Copy)]
pub enum Measure {
    Share(&'static str),
    Correlation,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Share(name) => name,
            Self::Correlation => "correlation",
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Self::Share(_) => percent(value.max(0.0)),
            Self::Correlation => format!("{:.2}", value.clamp(-1.0, 1.0)).replace('-', "−"),
        }
    }
}

/// On which side of it a claim says that a measure is.
#[derive(Clone, Copy)]
pub enum Bound {
    Above(f64),
    Below(f64),
}

impl Bound {
    fn value(self) -> f64 {
        let (Self::Above(bound) | Self::Below(bound)) = self;
        bound
    }

    /// What a value that is no mere chance decides.
    fn decides(self, value: f64) -> Outcome {
        let holds = match self {
            Self::Above(bound) => value > bound,
            // At the bound is no contradiction.
            Self::Below(bound) => value <= bound,
        };
        if holds {
            Outcome::Holds
        } else {
            Outcome::Contradicted
        }
    }
}

/// A measure is above or below a bound.
pub fn bounded(text: String, measure: Measure, series: &Series, bound: Bound) -> Claim {
    let shown = |value| measure.shown(value);
    let value = series.values().sum::<f64>() / series.len().max(1) as f64;
    let (test, outcome) = match level(series, bound.value()) {
        Ok(estimate) => {
            let outcome = if estimate.p < ALPHA {
                bound.decides(estimate.value)
            } else {
                undecided(estimate.p)
            };
            let test = format!(
                "{} to {}, against {}: {}, {} repetitions",
                shown(estimate.low),
                shown(estimate.high),
                shown(bound.value()),
                probability(estimate.p),
                estimate.repetitions
            );
            (test, outcome)
        }
        Err(_) if series.len() > 1 => ("the same in all repetitions".into(), bound.decides(value)),
        Err(reason) => (reason.clone(), Outcome::Undecided(reason)),
    };
    let average = if series.is_empty() {
        "none".into()
    } else {
        shown(value)
    };
    Claim {
        text,
        values: format!("{} {average}", measure.name()),
        test,
        outcome,
        by_median: None,
    }
}
