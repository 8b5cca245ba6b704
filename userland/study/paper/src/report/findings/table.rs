// SPDX-License-Identifier: GPL-2.0

//! Findings for programs: a row a claim, numbers as numbers.

use schemars::JsonSchema;
use serde::Serialize;

use super::claim::{Claim, Outcome};
use super::Finding;
use crate::tables::{Cell, Table};

/// A claim of a finding, and what the repetitions say of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FindingRow {
    /// The finding's letter.
    pub finding: char,
    /// Section of the paper.
    pub section: String,
    /// What the finding is, in the paper.
    pub paper: String,
    /// `holds here`, `doesn't hold here`, `can't be told here`.
    pub verdict: String,
    pub claim: String,
    /// `ratio` (geometric mean), `share`, `correlation`, `difference of logarithms`.
    pub measure: String,
    pub value: Option<f64>,
    /// The 95 % interval, as wide as what the probes' own cost is not known to.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// How likely chance makes it look as claimed, two-sided.
    pub p: Option<f64>,
    /// … like the opposite (of more: like no more than 2 % more), by Holm for all claims of the finding.
    pub p_opposite: Option<f64>,
    /// The smallest effect that four of five such studies find.
    pub detectable: Option<f64>,
    pub repetitions: usize,
    /// Repetitions without such calls, or with too few.
    pub left_out: usize,
    /// `holds`, `contradicted`, `undecided`.
    pub outcome: String,
    /// Why it's undecided.
    pub why: Option<String>,
}

impl FindingRow {
    fn of(finding: &Finding, claim: &Claim) -> Self {
        let tested = claim.tested.as_ref().ok();
        Self {
            finding: finding.letter,
            section: finding.section.into(),
            paper: finding.paper.into(),
            verdict: finding.verdict.words().into(),
            claim: claim.text.clone(),
            measure: claim.measure.name().into(),
            value: tested.map(|tested| tested.value),
            low: tested.map(|tested| tested.low),
            high: tested.map(|tested| tested.high),
            p: tested.map(|tested| tested.hold),
            p_opposite: tested.map(|tested| tested.against_holm),
            detectable: tested.map(|tested| tested.detectable),
            repetitions: tested.map_or(0, |tested| tested.repetitions),
            left_out: tested.map_or(0, |tested| tested.left_out),
            outcome: claim.outcome.word().into(),
            why: claim.outcome.why_undecided().map(str::to_owned),
        }
    }
}

pub fn rows(findings: &[Finding]) -> Vec<FindingRow> {
    let each = findings.iter().flat_map(|finding| {
        let claims = finding.claims.iter();
        claims.map(move |claim| FindingRow::of(finding, claim))
    });
    each.collect()
}

/// All claims, for the files.
pub fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&[
        "finding",
        "verdict",
        "claim",
        "measure",
        "value",
        "low",
        "high",
        "p",
        "p against it (Holm)",
        "detectable",
        "repetitions",
        "left out",
        "figures",
        "test",
        "outcome",
    ]);
    for finding in findings {
        for claim in &finding.claims {
            table.push(row(finding, claim));
        }
    }
    table
}

fn row(finding: &Finding, claim: &Claim) -> Vec<Cell> {
    let number = |pick: fn(&super::claim::Tested) -> f64| {
        let value = claim.tested.as_ref().ok().map(pick);
        value.map_or(Cell::Missing, |value| {
            Cell::Number(value, claim.measure.shown(value))
        })
    };
    let p = |pick: fn(&super::claim::Tested) -> f64| {
        let value = claim.tested.as_ref().ok().map(pick);
        value.map_or(Cell::Missing, |value| {
            Cell::Number(value, crate::numbers::probability(value))
        })
    };
    let tested = claim.tested.as_ref().ok();
    vec![
        Cell::text(finding.letter.to_string()),
        Cell::text(finding.verdict.words()),
        Cell::text(&claim.text),
        Cell::text(claim.measure.name()),
        number(|tested| tested.value),
        number(|tested| tested.low),
        number(|tested| tested.high),
        p(|tested| tested.hold),
        p(|tested| tested.against_holm),
        number(|tested| tested.detectable),
        Cell::count(tested.map_or(0, |tested| tested.repetitions as u64)),
        Cell::count(tested.map_or(0, |tested| tested.left_out as u64)),
        Cell::text(&claim.values),
        Cell::text(claim.test()),
        Cell::text(match &claim.outcome {
            Outcome::Undecided(why) => format!("undecided: {why}"),
            outcome => outcome.word().into(),
        }),
    ]
}
