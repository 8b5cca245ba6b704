// SPDX-License-Identifier: GPL-2.0

//! Claims on the card's interrupt, and on waits, which make it alike for all sizes.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::costs::{between, dearer_in_dom0};
use super::decide::{greater, similar, MARGIN};
use super::series::{means, series};
use crate::numbers::percent;
use crate::report::selection::Selection;
use crate::study::variance;
use xcap_study::run_id::Domain::Dom0;
use xcap_study::scenario::{PAPER, W0S0064, W0S1500, W1S0064, W1S1500};

/// dom0's costs most and varies most at w0s0064.
pub fn at_its_worst(selection: &Selection) -> Vec<Claim> {
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

/// dom0's costs more than domU's.
pub fn in_both_domains(selection: &Selection) -> Vec<Claim> {
    PAPER
        .map(|scenario| dearer_in_dom0(selection, scenario, Stage::NicIrq))
        .into()
}
