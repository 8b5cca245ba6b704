// SPDX-License-Identifier: GPL-2.0

//! Claims on the card's interrupt, and on waits, which make it alike for all sizes.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::costs::{between, dearer_in_dom0, varies_more};
use super::decide::{greater, similar, Side, MARGIN};
use super::series::{costs, series};
use crate::numbers::percent;
use crate::report::selection::Selection;
use crate::study::calls;
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::{Scenario, PAPER, W0S0064, W0S1500, W1S0064, W1S1500};

/// dom0's costs most and varies most at w0s0064.
pub fn at_its_worst(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for other in [W0S1500, W1S0064, W1S1500] {
        claims.push(between(selection, W0S0064, other, Dom0, Stage::NicIrq));
        claims.push(varies_more(selection, W0S0064, other, Dom0, Stage::NicIrq));
    }
    claims
}

/// With waits, the frame's size doesn't matter.
pub fn with_waits(selection: &Selection) -> Vec<Claim> {
    [
        Stage::NicIrq,
        Stage::Softirq,
        Stage::Bridge,
        Stage::Netback,
        Stage::Copy,
        Stage::Notify,
    ]
    .into_iter()
    .map(|stage| same(selection, stage, W1S0064, W1S1500))
    .collect()
}

/// A stage of dom0 costs the same in two scenarios.
pub fn same(selection: &Selection, stage: Stage, one: Scenario, other: Scenario) -> Claim {
    let side = |scenario, name| Side {
        name,
        floors: costs(selection, scenario, Dom0, stage),
    };
    let (first, second) = (one.to_string(), other.to_string());
    similar(
        format!(
            "{} in dom0 costs the same at {one} and {other} but for {}",
            stage.label(),
            percent(MARGIN)
        ),
        side(one, &first),
        side(other, &second),
    )
}

/// dom0's costs more than domU's.
pub fn in_both_domains(selection: &Selection) -> Vec<Claim> {
    PAPER
        .map(|scenario| dearer_in_dom0(selection, scenario, Stage::NicIrq))
        .into()
}

/// domU's costs more without waits, and then most and most variably with small frames.
pub fn in_domu(selection: &Selection) -> Vec<Claim> {
    vec![
        between(selection, W0S0064, W1S0064, DomU, Stage::NicIrq),
        between(selection, W0S1500, W1S1500, DomU, Stage::NicIrq),
        between(selection, W0S0064, W0S1500, DomU, Stage::NicIrq),
        varies_more(selection, W0S0064, W0S1500, DomU, Stage::NicIrq),
    ]
}

/// Without waits, fewer interrupts and polls of more frames serve the same frames.
pub fn polling(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (now, wait) in [(W0S0064, W1S0064), (W0S1500, W1S1500)] {
        for (stage, what) in [(Stage::NicIrq, "interrupts"), (Stage::Softirq, "softirqs")] {
            let a_frame = |scenario| {
                series(selection, scenario, |run| {
                    Some(run.frames.at(Dom0) as f64 / calls(run, Dom0, stage)?)
                })
            };
            let (first, second) = (format!("frames a call at {now}"), format!("at {wait}"));
            claims.push(greater(
                format!("at {now} fewer {what} serve as many frames than at {wait}"),
                Side::new(&first, a_frame(now)),
                Side::new(&second, a_frame(wait)),
            ));
        }
    }
    claims
}
