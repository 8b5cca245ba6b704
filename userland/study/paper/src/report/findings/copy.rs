// SPDX-License-Identifier: GPL-2.0

//! Claims on netback's copy and the notification after it, and on the copy to user mode.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::costs::between;
use super::decide::greater;
use super::series::{means, series};
use crate::report::selection::Selection;
use crate::study::{self_sum, sum, Series};
use xcap_study::load::Run;
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::{Scenario, W0S0064, W0S1500, W1S0064, W1S1500};

/// It costs more without waits, and at w0s0064 more than physical reception.
pub fn to_domu(selection: &Selection) -> Vec<Claim> {
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

/// It is worst at w0s1500.
pub fn notification(selection: &Selection) -> Vec<Claim> {
    let others = [W0S0064, W1S0064, W1S1500];
    others
        .map(|other| between(selection, W0S1500, other, Dom0, Stage::Notify))
        .into()
}

/// The frames' size decides it.
pub fn to_user(selection: &Selection) -> Vec<Claim> {
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
