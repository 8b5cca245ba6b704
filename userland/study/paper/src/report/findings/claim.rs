// SPDX-License-Identifier: GPL-2.0

//! What a test can decide.

use crate::numbers::{probability, short};
use crate::repetitions::Estimate;

/// What a test decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Holds,
    /// The opposite is seen.
    Contradicted,
    /// And why.
    Undecided(String),
}

impl Outcome {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Contradicted => "contradicted",
            Self::Undecided(_) => "undecided",
        }
    }

    /// Why it's undecided.
    pub fn why_undecided(&self) -> Option<&str> {
        match self {
            Self::Undecided(reason) => Some(reason),
            _ => None,
        }
    }
}

/// An effect, and what the tests of a claim on it give.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    pub value: f64,
    /// 95 %; as wide as what the probes' own cost is not known to.
    pub low: f64,
    pub high: f64,
    /// How likely chance makes it look as claimed, two-sided.
    pub hold: f64,
    /// … like the opposite (of more: like no more than 2 % more), two-sided.
    pub against: f64,
    /// The same by Holm, for all claims of the finding.
    pub against_holm: f64,
    /// The smallest effect that four of five such studies find.
    pub detectable: f64,
    /// So many repetitions would decide, were the effect as it was seen.
    pub needed: Option<f64>,
    pub repetitions: usize,
    pub left_out: usize,
}

impl Tested {
    /// Of an estimate of which it's claimed that it is above, or below, a bound.
    pub fn against_bound(estimate: &Estimate, bound: f64, above: bool) -> Self {
        let (low, high) = estimate.interval();
        let (p_above, p_below) = (estimate.p_above(bound), estimate.p_below(bound));
        let (hold, against) = if above {
            (p_above, p_below)
        } else {
            (p_below, p_above)
        };
        let against = (2.0 * against).min(1.0);
        Self {
            value: estimate.value(),
            low,
            high,
            hold: (2.0 * hold).min(1.0),
            against,
            against_holm: against,
            detectable: estimate.detectable(),
            needed: estimate.needed(bound),
            repetitions: estimate.repetitions,
            left_out: estimate.left_out,
        }
    }

    /// Of an estimate of which it's claimed that it is between two bounds.
    pub fn within(estimate: &Estimate, (least, most): (f64, f64)) -> Self {
        let beyond = estimate.p_above(most).min(estimate.p_below(least));
        let against = (2.0 * beyond).min(1.0);
        Self {
            hold: estimate.p_above(least).max(estimate.p_below(most)),
            against,
            against_holm: against,
            needed: None,
            ..Self::against_bound(estimate, 1.0, true)
        }
    }

    /// The same effect with what the probes cost at least and at most: what both allow.
    pub fn or(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            hold: self.hold.max(other.hold),
            against: self.against.max(other.against),
            against_holm: self.against_holm.max(other.against_holm),
            detectable: self.detectable.max(other.detectable),
            ..self
        }
    }
}

/// How an effect is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Ratio,
    Share,
    Correlation,
    /// Of logarithms.
    Difference,
}

impl Measure {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Share => "share",
            Self::Correlation => "correlation",
            Self::Difference => "difference of logarithms",
        }
    }

    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Ratio => short(value),
            Self::Share => crate::numbers::percent(value.clamp(0.0, 1.0)),
            Self::Correlation => format!("{:.2}", value.clamp(-1.0, 1.0)).replace('-', "−"),
            Self::Difference => format!("{value:.2}").replace('-', "−"),
        }
    }
}

/// Something that a test can decide.
#[derive(Debug, Clone)]
pub struct Claim {
    pub text: String,
    /// The measured values that decide it.
    pub values: String,
    pub measure: Measure,
    /// The effect; or why there is none.
    pub tested: Result<Tested, String>,
    /// What other views say: medians, calls as samples.
    pub beside: String,
    /// Known when all claims of the finding are.
    pub outcome: Outcome,
    /// What figures say that a few interrupted calls don't move, where there are some.
    pub robust: Option<Outcome>,
}

impl Claim {
    pub fn new(
        text: String,
        values: String,
        measure: Measure,
        tested: Result<Tested, String>,
    ) -> Self {
        Self {
            text,
            values,
            measure,
            tested,
            beside: String::new(),
            outcome: Outcome::Undecided(String::new()),
            robust: None,
        }
    }

    /// A claim that nothing recorded here can decide.
    pub fn undecidable(text: &str, measure: Measure, why: &str) -> Self {
        Self::new(text.into(), "–".into(), measure, Err(why.into()))
    }

    /// The effect with its interval.
    pub fn effect(&self) -> String {
        match &self.tested {
            Ok(tested) => {
                let shown = |value| self.measure.shown(value);
                let (value, low, high) =
                    (shown(tested.value), shown(tested.low), shown(tested.high));
                format!("{} {value} ({low} to {high})", self.measure.name())
            }
            Err(_) => "–".into(),
        }
    }

    /// The tests and what they gave.
    pub fn test(&self) -> String {
        let mut text = match &self.tested {
            Ok(tested) => {
                let mut text = format!(
                    "{}, against it {}, {} repetitions",
                    probability(tested.hold),
                    probability(tested.against_holm),
                    tested.repetitions
                );
                match tested.left_out {
                    0 => {}
                    1 => text.push_str(", 1 left out (without such calls, or with too few)"),
                    n => text.push_str(&format!(
                        ", {n} left out (without such calls, or with too few)"
                    )),
                }
                text
            }
            Err(reason) => reason.clone(),
        };
        text.push_str(&self.beside);
        text
    }
}
