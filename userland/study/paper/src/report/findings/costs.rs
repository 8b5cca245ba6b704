// SPDX-License-Identifier: GPL-2.0

//! Claims that a call costs more here than there.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::decide::{above_one, greater};
use super::series::{means, series};
use crate::compare::{ratio, welch};
use crate::numbers::{probability, short};
use crate::report::selection::Selection;
use crate::study::median;
use xcap_study::run_id::Domain::{self, Dom0, DomU};
use xcap_study::scenario::Scenario;

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
    let samples = pooled(one).zip(pooled(other));
    if let Some(p) = samples.and_then(|(one, other)| welch(&one, &other)) {
        claim
            .test
            .push_str(&format!("; calls as samples (Welch) {}", probability(p)));
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
    let text = format!("it costs more at {one} than at {other}");
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
