// SPDX-License-Identifier: GPL-2.0

//! What was found of one subject.

use serde::Serialize;

/// What it means for figures, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Part of every figure; to be told with them.
    Note,
    /// It makes figures wrong, or not repeatable.
    Bad,
    /// There are no figures.
    Fatal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `kernel`, `clock`, …
    pub subject: &'static str,
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Check {
    pub fn good(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Good, found)
    }

    pub fn note(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Note, found)
    }

    pub fn bad(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Bad, found)
    }

    pub fn fatal(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Fatal, found)
    }

    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    fn new(subject: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            subject,
            verdict,
            found: found.into(),
            advice: None,
        }
    }
}
