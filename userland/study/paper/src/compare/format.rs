// SPDX-License-Identifier: GPL-2.0

//! What a comparison is asked, and what it says.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::testbed::Unit;

use super::figure::ALL_STAGES;

/// What is asked of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Figures that differ by no more than this part are the same.
    pub margin: f64,
    /// A growth beyond this part fails; none: nothing does.
    pub fail_above: Option<f64>,
    /// Fail too where such a growth can't be ruled out.
    pub strict: bool,
    /// A line for each scenario and buffer, not for all of them together.
    pub each: bool,
}

/// What `compare --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Version of this format.
    pub format: u32,
    /// What the figures are of.
    pub world: String,
    /// What they are counted in.
    pub unit: Unit,
    /// Kernels of the runs.
    pub old_kernels: BTreeSet<String>,
    pub new_kernels: BTreeSet<String>,
    /// Figures that differ by no more than this part are the same.
    pub margin: f64,
    pub fail_above: Option<f64>,
    /// A line a stage, or a stage and condition.
    pub lines: Vec<Line>,
    /// What only one folder has, and repetitions without such calls: not compared.
    pub left_out: Vec<String>,
    /// Whether what `fail_above` says was seen (with `--strict`: can't be ruled out).
    pub failed: bool,
}

/// A stage's self time a frame, in the comparison's unit, less the probes' own cost.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    pub environment: Environment,
    /// Null: all that both folders have.
    pub scenario: Option<String>,
    pub buffer: Option<Buffer>,
    pub domain: Domain,
    /// A stage, or `all`: their sum.
    pub stage: String,
    /// Runs of each folder.
    pub old_runs: usize,
    pub new_runs: usize,
    /// Geometric means over runs.
    pub old: f64,
    pub new: f64,
    /// `new` ÷ `old`, geometric, with its 95 % interval: Welch's, of logarithms, runs as samples,
    /// and as wide as what the probes' own cost is not known to.
    pub ratio: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// How likely chance makes such a ratio, two-sided.
    pub p: Option<f64>,
    /// … by Holm, for all lines together.
    pub p_holm: Option<f64>,
    /// Two one-sided tests of the ratio within the margin.
    pub p_same: Option<f64>,
    /// The smallest ratio that such a comparison finds in four of five studies.
    pub detectable: Option<f64>,
    /// Of a ratio of no more than `fail_above` allows, by Holm.
    pub p_exceeds: Option<f64>,
    pub verdict: Verdict,
    /// Beyond `fail_above`.
    pub exceeds: bool,
}

impl Line {
    /// The sum of all stages, not one of them.
    pub fn is_sum(&self) -> bool {
        self.stage == ALL_STAGES
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Within the margin.
    Same,
    /// Another, and greater.
    More,
    /// Another, and less.
    Less,
    /// Neither is shown.
    Undecided,
    /// There is one run of a kind, or none.
    TooFewRuns,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::More => "more",
            Self::Less => "less",
            Self::Undecided => "can't tell",
            Self::TooFewRuns => "too few runs",
        }
    }
}
