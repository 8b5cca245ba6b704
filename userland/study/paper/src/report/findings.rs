// SPDX-License-Identifier: GPL-2.0

//! The paper's findings, each with the claims that decide it.

use xcap_abi::stage::Stage;

use super::selection::Selection;
use crate::compare::{self, equivalence, level, ratio, Estimate, ALPHA};
use crate::numbers::{percent, probability, short};
use crate::study::{calls, mean, median, self_sum, sum, variance, Condition, Series};
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain};
use xcap_study::scenario::{Scenario, PAPER, W0S0064, W0S1500, W1S0064, W1S1500};
use xcap_study::testbed::World;

use Domain::{Dom0, DomU};

/// Figures that differ by no more than this part are nearly the same.
const MARGIN: f64 = 0.10;

/// What isn't a share, but bounded by −1 and 1.
const CORRELATION: &str = "correlation";

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Holds,
    Contradicted,
    Undecided(String),
}

/// Something that a test can decide.
#[derive(Debug, Clone)]
pub struct Claim {
    pub text: String,
    /// The figures that decide it.
    pub figures: String,
    /// The test and what it gave.
    pub test: String,
    pub outcome: Outcome,
    /// What the medians say, where there are some.
    pub by_median: Option<Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    CannotTell,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds here",
            Self::DoesNotHold => "doesn't hold here",
            Self::CannotTell => "can't be told here",
        }
    }
}

/// What the paper found, and what is to be said of it now.
pub struct Finding {
    pub letter: char,
    pub paper: &'static str,
    pub claims: Vec<Claim>,
    /// Figures of the report that show it.
    pub figures: &'static [&'static str],
    pub verdict: Verdict,
    pub why: String,
}

pub fn all(selection: &Selection) -> Vec<Finding> {
    let of = |letter, paper, figures, claims| finding(selection, letter, paper, figures, claims);
    vec![
        of('a', "dom0's interrupt costs most and varies most at w0s0064, above w0s1500.", &["fig-3"], interrupt(selection)),
        of(
            'b',
            "With waits, frames of 64 and of 1500 bytes cost nearly the same there, and in the later stages.",
            &["fig-3", "fig-4", "fig-5", "fig-6", "fig-7", "fig-8"],
            waits(selection),
        ),
        of('c', "The NIC driver is most of the softirq, and most of its variance.", &["driver", "fig-4"], driver(selection)),
        of(
            'd',
            "netback's copy costs more without waits, and at w0s0064 more than all of physical reception.",
            &["fig-7", "per-frame-dom0"],
            copy(selection),
        ),
        of('e', "The notification hypercall is worst at w0s1500.", &["fig-8"], notification(selection)),
        of('f', "domU's interrupt is cheaper than dom0's.", &["fig-3", "fig-9"], interrupts(selection)),
        of(
            'g',
            "domU's softirq repeats dom0's picture on a smaller scale, with far fewer calls.",
            &["fig-4", "fig-10"],
            softirqs(selection),
        ),
        of('h', "The copy to user mode is decided by the frames' size.", &["fig-11"], copy_user(selection)),
        of('i', "At w0s0064 few frames survive (in the paper 26 of 10,000).", &["losses-xen-pv"], survivors(selection)),
    ]
}

fn finding(
    selection: &Selection,
    letter: char,
    paper: &'static str,
    figures: &'static [&'static str],
    claims: Vec<Claim>,
) -> Finding {
    let contradicted: Vec<&Claim> = claims
        .iter()
        .filter(|claim| claim.outcome == Outcome::Contradicted)
        .collect();
    let undecided: Vec<&Claim> = claims
        .iter()
        .filter(|claim| matches!(claim.outcome, Outcome::Undecided(_)))
        .collect();
    let holding = claims.len() - contradicted.len() - undecided.len();
    let named = |claims: &[&Claim]| {
        let more = claims.len().saturating_sub(2);
        let some = claims[..claims.len() - more]
            .iter()
            .map(|claim| claim.text.as_str())
            .collect::<Vec<_>>()
            .join("; ");
        match more {
            0 => some,
            more => format!("{some}; and {more} more"),
        }
    };
    let (verdict, mut why) = match (contradicted.as_slice(), undecided.as_slice()) {
        ([], []) => {
            let why = match claims.len() {
                1 => format!("{} ({})", claims[0].text, claims[0].figures),
                n => format!("all {n} claims hold"),
            };
            (Verdict::Holds, why)
        }
        ([], undecided) => {
            let reason = undecided.iter().find_map(|claim| match &claim.outcome {
                Outcome::Undecided(reason) => Some(reason.as_str()),
                _ => None,
            });
            let why = format!(
                "{holding} of {} claims hold; undecided: {} ({})",
                claims.len(),
                named(undecided),
                reason.unwrap_or_default()
            );
            (Verdict::CannotTell, why)
        }
        (contradicted, _) => {
            let why = format!(
                "{holding} of {} claims hold; the opposite is seen of: {}",
                claims.len(),
                named(contradicted)
            );
            (Verdict::DoesNotHold, why)
        }
    };
    why.push_str(&medians_tell(&claims));
    if letter == 'i' {
        why.push_str(&what_the_buffer_does(selection));
    }
    if selection.study.world() == World::Emulated {
        why.push_str(". Emulated cycles: true of this lab, not of hardware");
    }
    Finding {
        letter,
        paper,
        claims,
        figures,
        verdict,
        why: why + ".",
    }
}

/// What medians say of the claims that means can't decide.
fn medians_tell(claims: &[Claim]) -> String {
    let open = claims
        .iter()
        .filter(|claim| matches!(claim.outcome, Outcome::Undecided(_)));
    let told: Vec<&Outcome> = open.filter_map(|claim| claim.by_median.as_ref()).collect();
    let count = |outcome: &Outcome| told.iter().filter(|told| **told == outcome).count();
    let said = match (count(&Outcome::Holds), count(&Outcome::Contradicted)) {
        (0, 0) => return String::new(),
        (hold, 0) => format!("{hold} more hold"),
        (0, against) => format!("the opposite is seen of {against} more"),
        (hold, against) => format!("{hold} more hold, and the opposite is seen of {against}"),
    };
    format!(". By medians, which a few interrupted calls don't move, {said}")
}

/// Which share survives, and whether it's the socket's buffer that decides.
fn what_the_buffer_does(selection: &Selection) -> String {
    let share = |buffer| {
        let all = captured_share(selection, W0S0064, buffer);
        (!all.is_empty()).then(|| percent(all.values().sum::<f64>() / all.len() as f64))
    };
    let told = |buffer, words| share(buffer).map(|share| format!("{share} with {words}"));
    let shares = [
        told(Buffer::System, "the system's socket buffer"),
        told(Buffer::Large, "a large one"),
    ];
    let shares: Vec<String> = shares.into_iter().flatten().collect();
    format!(". Captured are {}; in the paper 0.3 %", shares.join(", "))
}

fn captured_share(selection: &Selection, scenario: Scenario, buffer: Buffer) -> Series {
    let condition = Condition {
        buffer,
        ..selection.condition(scenario)
    };
    selection.study.series(condition, |run| {
        Some(run.frames.captured as f64 / run.frames.sent as f64)
    })
}

fn series(
    selection: &Selection,
    scenario: Scenario,
    figure: impl Fn(&Run) -> Option<f64>,
) -> Series {
    selection
        .study
        .series(selection.condition(scenario), figure)
}

fn means(selection: &Selection, scenario: Scenario, domain: Domain, stage: Stage) -> Series {
    series(selection, scenario, |run| mean(run, domain, stage))
}

fn average(series: &Series) -> String {
    match series.len() {
        0 => "none".into(),
        n => short(series.values().sum::<f64>() / n as f64),
    }
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
fn above_one(estimate: &Result<Estimate, String>) -> Outcome {
    match estimate {
        Ok(estimate) if estimate.p >= ALPHA => undecided(estimate.p),
        Ok(estimate) if estimate.value > 1.0 => Outcome::Holds,
        Ok(_) => Outcome::Contradicted,
        Err(reason) => Outcome::Undecided(reason.clone()),
    }
}

/// `one` is greater than `other`.
fn greater(text: String, one: (&str, Series), other: (&str, Series)) -> Claim {
    let estimate = ratio(&one.1, &other.1);
    let outcome = above_one(&estimate);
    Claim {
        text,
        figures: format!(
            "{} {}, {} {}",
            one.0,
            average(&one.1),
            other.0,
            average(&other.1)
        ),
        test: tested(&estimate, "ratio"),
        outcome,
        by_median: None,
    }
}

/// A stage's calls, somewhere.
#[derive(Clone, Copy)]
struct Calls<'a> {
    name: &'a str,
    scenario: Scenario,
    domain: Domain,
    stage: Stage,
}

/// The mean of `one` is greater than that of `other`; the medians are told as well, since a few
/// interrupted calls can carry a mean away.
fn costs_more(selection: &Selection, text: String, one: Calls, other: Calls) -> Claim {
    let means = |at: Calls| means(selection, at.scenario, at.domain, at.stage);
    let mut claim = greater(text, (one.name, means(one)), (other.name, means(other)));
    let medians = |at: Calls| {
        series(selection, at.scenario, |run| {
            median(run, at.domain, at.stage)
        })
    };
    let by_median = ratio(&medians(one), &medians(other));
    claim.by_median = Some(above_one(&by_median));
    if let Ok(by_median) = by_median {
        let told = format!(
            "; by medians {} ({} to {}), {}",
            short(by_median.value),
            short(by_median.low),
            short(by_median.high),
            probability(by_median.p)
        );
        claim.test.push_str(&told);
    }
    let pooled = |at: Calls| {
        let pooled = selection.pooled(at.scenario, at.domain, at.stage);
        pooled.map(|pooled| pooled.moments)
    };
    let welch = pooled(one).zip(pooled(other));
    if let Some(p) = welch.and_then(|(one, other)| compare::welch(&one, &other)) {
        claim
            .test
            .push_str(&format!("; calls as samples (Welch) {}", probability(p)));
    }
    claim
}

/// `one` and `other` differ by no more than [`MARGIN`].
fn similar(text: String, one: (&str, Series), other: (&str, Series)) -> Claim {
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
        figures: format!(
            "{} {}, {} {}",
            one.0,
            average(&one.1),
            other.0,
            average(&other.1)
        ),
        test,
        outcome,
        by_median: None,
    }
}

/// A share is above (or below) a bound.
fn bounded(text: String, what: &str, series: &Series, bound: f64, above: bool) -> Claim {
    let estimate = level(series, bound);
    let is_share = what != CORRELATION;
    let shown = |value: f64| match is_share {
        true => percent(value.max(0.0)),
        false => format!("{:.2}", value.clamp(-1.0, 1.0)).replace('-', "−"),
    };
    let value = series.values().sum::<f64>() / series.len().max(1) as f64;
    let same = series.len() > 1 && estimate.is_err();
    let (test, outcome) = match estimate {
        Ok(estimate) => {
            let outcome = match (estimate.p < ALPHA, (estimate.value > bound) == above) {
                (false, _) => undecided(estimate.p),
                (true, true) => Outcome::Holds,
                (true, false) => Outcome::Contradicted,
            };
            let test = format!(
                "{} to {}, against {}: {}, {} repetitions",
                shown(estimate.low),
                shown(estimate.high),
                shown(bound),
                probability(estimate.p),
                estimate.repetitions
            );
            (test, outcome)
        }
        Err(_) if same && (value > bound) == above => {
            ("the same in all repetitions".into(), Outcome::Holds)
        }
        Err(_) if same => ("the same in all repetitions".into(), Outcome::Contradicted),
        Err(reason) => (reason.clone(), Outcome::Undecided(reason)),
    };
    Claim {
        text,
        figures: format!(
            "{what} {}",
            if series.is_empty() {
                "none".into()
            } else {
                shown(value)
            }
        ),
        test,
        outcome,
        by_median: None,
    }
}

fn interrupt(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for other in [W0S1500, W1S0064, W1S1500] {
        claims.push(between(selection, W0S0064, other, Dom0, Stage::NicIrq));
        let spread = |scenario| {
            series(selection, scenario, |run| {
                variance(run, Dom0, Stage::NicIrq)
            })
        };
        claims.push(greater(
            format!("it varies more at w0s0064 than at {other}"),
            ("variance at w0s0064", spread(W0S0064)),
            (&format!("at {other}"), spread(other)),
        ));
    }
    claims
}

/// It costs more in one scenario than in another.
fn between(
    selection: &Selection,
    one: Scenario,
    other: Scenario,
    domain: Domain,
    stage: Stage,
) -> Claim {
    let (first, second) = (one.to_string(), other.to_string());
    let calls = |name, scenario| Calls {
        name,
        scenario,
        domain,
        stage,
    };
    let text = format!("it costs more at {one} than at {other}");
    costs_more(selection, text, calls(&first, one), calls(&second, other))
}

/// It costs more in dom0 than in domU.
fn dearer_in_dom0(selection: &Selection, scenario: Scenario, stage: Stage) -> Claim {
    let calls = |name, domain| Calls {
        name,
        scenario,
        domain,
        stage,
    };
    let text = format!("at {scenario} dom0's costs more");
    costs_more(selection, text, calls("dom0", Dom0), calls("domU", DomU))
}

fn waits(selection: &Selection) -> Vec<Claim> {
    [
        Stage::NicIrq,
        Stage::Softirq,
        Stage::Bridge,
        Stage::Netback,
        Stage::Copy,
        Stage::Notify,
    ]
    .into_iter()
    .map(|stage| {
        similar(
            format!(
                "{} in dom0 costs the same but for {}",
                stage.label(),
                percent(MARGIN)
            ),
            ("w1s0064", means(selection, W1S0064, Dom0, stage)),
            ("w1s1500", means(selection, W1S1500, Dom0, stage)),
        )
    })
    .collect()
}

fn driver(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for scenario in PAPER {
        let share = series(selection, scenario, |run| {
            Some(self_sum(run, Dom0, Stage::NicPoll)? / sum(run, Dom0, Stage::Softirq)?)
                .filter(|share| share.is_finite())
        });
        let text = format!("at {scenario} the driver's self time is more than half of the softirq");
        claims.push(bounded(text, "share", &share, 0.5, true));
    }
    for scenario in PAPER {
        // What the frames' bridge and netback can add to a softirq's variance, were frames
        // independent of each other; all else is the driver's, the number of frames included.
        let share = series(selection, scenario, |run| {
            let frames = calls(run, Dom0, Stage::Bridge)? / calls(run, Dom0, Stage::Softirq)?;
            let later = frames * variance(run, Dom0, Stage::Bridge)?;
            Some(1.0 - (later / variance(run, Dom0, Stage::Softirq)?).min(1.0))
                .filter(|share| share.is_finite())
        });
        let text =
            format!("at {scenario} bridge and netback leave it more than half of the variance");
        claims.push(bounded(text, "share", &share, 0.5, true));
    }
    claims
}

fn copy(selection: &Selection) -> Vec<Claim> {
    let mut claims: Vec<Claim> = [(W0S0064, W1S0064), (W0S1500, W1S1500)]
        .into_iter()
        .map(|(now, wait)| between(selection, now, wait, Dom0, Stage::Copy))
        .collect();
    let per_frame = |run: &Run, cycles: f64| {
        Some(cycles / run.frames.at(Dom0) as f64).filter(|c| c.is_finite())
    };
    let copying = series(selection, W0S0064, |run| {
        let hypercall = sum(run, Dom0, Stage::GrantCopy).unwrap_or(0.0);
        per_frame(run, self_sum(run, Dom0, Stage::Copy)? + hypercall)
    });
    let reception = series(selection, W0S0064, |run| {
        per_frame(
            run,
            sum(run, Dom0, Stage::NicIrq)? + sum(run, Dom0, Stage::Softirq)?,
        )
    });
    claims.push(greater(
        "at w0s0064 copying a frame costs more than interrupt and softirq together".into(),
        ("cycles a frame: copy", copying),
        ("reception", reception),
    ));
    claims
}

fn notification(selection: &Selection) -> Vec<Claim> {
    let others = [W0S0064, W1S0064, W1S1500];
    others
        .map(|other| between(selection, W0S1500, other, Dom0, Stage::Notify))
        .into()
}

fn interrupts(selection: &Selection) -> Vec<Claim> {
    PAPER
        .map(|scenario| dearer_in_dom0(selection, scenario, Stage::NicIrq))
        .into()
}

fn softirqs(selection: &Selection) -> Vec<Claim> {
    let mut claims: Vec<Claim> = PAPER
        .map(|scenario| dearer_in_dom0(selection, scenario, Stage::Softirq))
        .into();
    for scenario in PAPER {
        let share = series(selection, scenario, |run| {
            Some(calls(run, DomU, Stage::Softirq)? / calls(run, Dom0, Stage::Softirq)?)
                .filter(|share| share.is_finite())
        });
        let text = format!("at {scenario} domU has less than half of dom0's calls");
        claims.push(bounded(text, "share", &share, 0.5, false));
    }
    claims.push(bounded(
        "the scenarios' costs in both domains go together (correlation of logarithms)".into(),
        CORRELATION,
        &correlation(selection),
        0.0,
        true,
    ));
    claims
}

/// Of each repetition: Pearson's correlation, over the scenarios, of both domains' softirq.
fn correlation(selection: &Selection) -> Series {
    let all = |domain| PAPER.map(|scenario| means(selection, scenario, domain, Stage::Softirq));
    let (dom0, domu) = (all(Dom0), all(DomU));
    let repetitions = dom0[0].keys().copied();
    repetitions
        .filter_map(|repetition| {
            let of = |all: &[Series]| -> Option<Vec<f64>> {
                all.iter()
                    .map(|series| series.get(&repetition).map(|mean| mean.ln()))
                    .collect()
            };
            let (x, y) = (of(&dom0)?, of(&domu)?);
            let n = x.len() as f64;
            let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
            let product: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
            let square = |values: &[f64], middle: f64| {
                values.iter().map(|v| (v - middle).powi(2)).sum::<f64>()
            };
            let correlation = product / (square(&x, mx) * square(&y, my)).sqrt();
            correlation.is_finite().then_some((repetition, correlation))
        })
        .collect()
}

fn copy_user(selection: &Selection) -> Vec<Claim> {
    let of = |scenario| means(selection, scenario, DomU, Stage::CopyUser);
    let mut claims: Vec<Claim> = [(W0S1500, W0S0064), (W1S1500, W1S0064)]
        .into_iter()
        .map(|(large, small)| between(selection, large, small, DomU, Stage::CopyUser))
        .collect();
    let strength = |pairs: [(Scenario, Scenario); 2]| -> Series {
        let pairs = pairs.map(|(one, other)| (of(one), of(other)));
        let effect = |repetition: u32| {
            let each = pairs.iter().map(|(one, other)| {
                Some((one.get(&repetition)? / other.get(&repetition)?).ln().abs())
            });
            each.sum::<Option<f64>>().map(|sum| sum / 2.0)
        };
        pairs[0]
            .0
            .keys()
            .filter_map(|&repetition| Some((repetition, effect(repetition)?)))
            .collect()
    };
    claims.push(greater(
        "size changes it more than the wait does".into(),
        (
            "mean |ln ratio| of size",
            strength([(W0S1500, W0S0064), (W1S1500, W1S0064)]),
        ),
        (
            "of wait",
            strength([(W0S0064, W1S0064), (W0S1500, W1S1500)]),
        ),
    ));
    claims
}

fn survivors(selection: &Selection) -> Vec<Claim> {
    let survived = captured_share(selection, W0S0064, selection.buffer);
    let text = format!(
        "most are lost with the {} socket buffer",
        match selection.buffer {
            Buffer::System => "system's",
            Buffer::Large => "large",
        }
    );
    vec![bounded(text, "captured", &survived, 0.5, false)]
}

/// All claims, for the files.
pub fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["finding", "verdict", "claim", "figures", "test", "outcome"]);
    for finding in findings {
        for claim in &finding.claims {
            table.push(vec![
                Cell::text(finding.letter.to_string()),
                Cell::text(finding.verdict.words()),
                Cell::text(&claim.text),
                Cell::text(&claim.figures),
                Cell::text(&claim.test),
                Cell::text(match &claim.outcome {
                    Outcome::Holds => "holds",
                    Outcome::Contradicted => "the opposite",
                    Outcome::Undecided(_) => "undecided",
                }),
            ]);
        }
    }
    table
}
