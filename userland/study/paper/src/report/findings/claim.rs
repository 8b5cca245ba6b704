// SPDX-License-Identifier: GPL-2.0

//! What a test can decide.

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
            Self::Contradicted => "the opposite",
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

/// Something that a test can decide.
#[derive(Debug, Clone)]
pub struct Claim {
    pub text: String,
    /// The measured values that decide it.
    pub values: String,
    /// The test and what it gave.
    pub test: String,
    pub outcome: Outcome,
    /// What the medians say, where there are some.
    pub by_median: Option<Outcome>,
}
