// SPDX-License-Identifier: GPL-2.0

//! The findings: a line each, and then one by one.

use maud::{html, Markup};

use super::parts::section;
use crate::report::findings::{Finding, Outcome, Verdict};
use crate::report::model::Report;

pub fn summary(report: &Report) -> Markup {
    section(
        "summary",
        "The paper's findings, and what holds here",
        html! {
            p { "Effects first: of each finding, the claim that its verdict rests on, with its 95 % interval. Ratios are "
                "geometric means over repetitions." }
            div.findings { table.summary { tbody {
                @for finding in &report.findings {
                    tr {
                        td { (finding.letter) }
                        td { a href={ "#finding-" (finding.letter) } { (finding.paper) }
                             @if let Some(claim) = finding.weakest() {
                                 div.muted { (claim.text) ": " (claim.effect()) }
                             } }
                        td { (verdict(finding.verdict)) }
                    }
                }
            } } }
        },
    )
}

pub fn findings(report: &Report) -> Markup {
    section(
        "findings",
        "The findings, one by one",
        html! {
            p { "Repetitions are the samples of every test: calls within a run depend on each other. Ratios are tested "
                "by Student's t test on the logarithms of figures of the same repetition, two-sided at 5 %; “nearly the "
                "same” by two one-sided tests with ±10 %; shares by Student's t test against their bound. A finding "
                "holds if all its claims do (each at 5 %), and doesn't if one is contradicted, that is if its opposite is "
                "seen (of “more”: that it is no more than 2 % more, a margin that was chosen after the lab's first figures "
                "had been seen: studies made since test it, those figures don't): by Holm, since "
                "of many claims one looks like its opposite by chance. Where reception may preempt a stage (copy, "
                "notification, copy to user), its self time is compared. Intervals are as wide as what the probes' own "
                "cost is not known to." }
            div.findings { @for finding in &report.findings { (one_finding(finding, report.selection.unit())) } }
        },
    )
}

fn one_finding(finding: &Finding, unit: &str) -> Markup {
    html! {
        article id={ "finding-" (finding.letter) } {
            h3 { span.letter { "(" (finding.letter) ")" } (finding.paper) " " span.muted { "§ " (finding.section) } }
            p { (verdict(finding.verdict)) ": " (finding.why) " "
                span.muted { "See "
                    @for (at, figure) in finding.figures.iter().enumerate() {
                        @if at > 0 { ", " }
                        a href={ "#" (figure) } { (figure_name(figure, unit)) }
                    }
                    "."
                }
            }
            table.claims {
                thead { tr { th { "claim" } th { "effect" } th { "means of runs" } th { "test" } th { } } }
                tbody { @for claim in &finding.claims {
                    tr {
                        td { (claim.text) }
                        td { (claim.effect()) }
                        td { (claim.values) }
                        td { (claim.test()) }
                        td { (outcome(&claim.outcome))
                             @if let Some(why) = claim.outcome.why_undecided() { div.muted { (why) } } }
                    }
                } }
            }
        }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Holds => "verdict holds",
        Verdict::DoesNotHold => "verdict doesnt",
        Verdict::CannotTell => "verdict unsure",
    };
    html! { span class=(class) { (verdict.words()) } }
}

fn outcome(outcome: &Outcome) -> Markup {
    let class = match outcome {
        Outcome::Holds => "verdict holds",
        Outcome::Contradicted => "verdict doesnt",
        Outcome::Undecided(_) => "verdict unsure",
    };
    html! { span class=(class) { (outcome.word()) } }
}

fn figure_name(id: &str, unit: &str) -> String {
    match id {
        "driver" => "the NIC driver, derived and measured".into(),
        "per-frame-dom0" => format!("dom0: {unit} a frame"),
        "self-xen-pv-dom0" => "dom0: self time of each stage".into(),
        id if id.starts_with("losses") => "where frames were lost".into(),
        id => format!("Fig. {}", id.trim_start_matches("fig-")),
    }
}
