// SPDX-License-Identifier: GPL-2.0

//! Claims that a call costs more here than there.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::decide::{above_one, greater, Side};
use super::series::{costs, series};
use crate::numbers::{probability, short};
use crate::repetitions::{ratio, welch};
use crate::report::selection::Selection;
use crate::study::{median, quartiles, variance};
use xcap_study::run_id::Domain::{self, Dom0, DomU};
use xcap_study::scenario::Scenario;

/// A stage's calls, somewhere.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    pub name: &'a str,
    pub scenario: Scenario,
    pub domain: Domain,
    pub stage: Stage,
}

/// The mean of `one` is greater than that of `other`; the medians are told as well, since a few
/// interrupted calls can carry a mean away.
fn costs_more(selection: &Selection, text: String, one: Calls, other: Calls) -> Claim {
    let side = |at: Calls<'_>| costs(selection, at.scenario, at.domain, at.stage);
    let (first, second) = (side(one), side(other));
    let mut claim = greater(
        text,
        Side {
            name: one.name,
            floors: first,
        },
        Side {
            name: other.name,
            floors: second,
        },
    );
    let medians = |at: Calls| {
        series(selection, at.scenario, |run| {
            median(run, at.domain, at.stage)
        })
    };
    let (first, second) = (medians(one), medians(other));
    claim.robust = Some(above_one(&first, &second));
    if let Ok(by_median) = ratio(&first, &second) {
        let (low, high) = by_median.interval();
        claim.beside.push_str(&format!(
            "; by medians {} ({} to {}), {}",
            short(by_median.value()),
            short(low),
            short(high),
            probability(by_median.p(1.0))
        ));
    }
    let pooled = |at: Calls| {
        let pooled = selection.pooled(at.scenario, at.domain, at.stage);
        pooled.map(|pooled| pooled.moments)
    };
    let samples = pooled(one).zip(pooled(other));
    if let Some(p) = samples.and_then(|(one, other)| welch(&one, &other)) {
        let told = format!(
            "; whole calls as samples (Welch), as in the paper, {}",
            probability(p)
        );
        claim.beside.push_str(&told);
    }
    claim
}

/// It costs more in one scenario than in another.
pub fn between(
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
    let what = match stage.runs_in_task() {
        true => "its own time a call is",
        false => "it costs",
    };
    let text = format!("{what} more at {one} than at {other}");
    costs_more(selection, text, calls(&first, one), calls(&second, other))
}

/// It costs more in dom0 than in domU.
pub fn dearer_in_dom0(selection: &Selection, scenario: Scenario, stage: Stage) -> Claim {
    let calls = |name, domain| Calls {
        name,
        scenario,
        domain,
        stage,
    };
    let text = format!("at {scenario} dom0's costs more");
    costs_more(selection, text, calls("dom0", Dom0), calls("domU", DomU))
}

/// It varies more in one scenario than in another.
pub fn varies_more(
    selection: &Selection,
    one: Scenario,
    other: Scenario,
    domain: Domain,
    stage: Stage,
) -> Claim {
    let spread = |scenario| series(selection, scenario, |run| variance(run, domain, stage));
    let mut claim = greater(
        format!("it varies more at {one} than at {other}"),
        Side::new(&format!("variance at {one}"), spread(one)),
        Side::new(&format!("at {other}"), spread(other)),
    );
    let quartiles = |scenario| series(selection, scenario, |run| quartiles(run, domain, stage));
    let (first, second) = (quartiles(one), quartiles(other));
    claim.robust = Some(above_one(&first, &second));
    if let Ok(robust) = ratio(&first, &second) {
        let (low, high) = robust.interval();
        claim.beside.push_str(&format!(
            "; between quartiles {} ({} to {})",
            short(robust.value()),
            short(low),
            short(high)
        ));
    }
    claim
}
