// SPDX-License-Identifier: GPL-2.0

//! Claims on netback's copy and the notification after it, and on the copy to user mode.

use xcap_abi::stage::Stage;

use super::claim::{Claim, Measure};
use super::costs::between;
use super::decide::{bounded, greater, similar, Bound, Side, MARGIN};
use super::series::{costs, own_a_frame, series};
use crate::numbers::percent;
use crate::report::selection::Selection;
use crate::study::{mean, Series};
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::{W0S0064, W0S1500, W1S0064, W1S1500};

/// What copies a frame into the guest.
pub const COPYING: [Stage; 3] = [Stage::Copy, Stage::CopyFlush, Stage::GrantCopy];

/// What receives it from the cable and brings it to the guest's queue.
pub const RECEPTION: [Stage; 5] = [
    Stage::NicIrq,
    Stage::Softirq,
    Stage::NicPoll,
    Stage::Bridge,
    Stage::Netback,
];

/// It costs more without waits, and at w0s0064 more than physical reception.
pub fn to_domu(selection: &Selection) -> Vec<Claim> {
    let unit = selection.unit();
    let mut claims: Vec<Claim> = [(W0S0064, W1S0064), (W0S1500, W1S1500)]
        .into_iter()
        .map(|(now, wait)| {
            let (first, second) = (format!("{unit} a frame at {now}"), format!("at {wait}"));
            greater(
                format!("its own time a frame is more at {now} than at {wait}"),
                own_a_frame(selection, now, Dom0, &first, &COPYING),
                own_a_frame(selection, wait, Dom0, &second, &COPYING),
            )
        })
        .collect();
    let copy = format!("{unit} a frame: copy");
    claims.push(greater(
        "at w0s0064 copying a frame takes more self time than interrupt and softirq together"
            .into(),
        own_a_frame(selection, W0S0064, Dom0, &copy, &COPYING),
        own_a_frame(selection, W0S0064, Dom0, "reception", &RECEPTION),
    ));
    claims
}

/// It is worst at w0s1500, and costs more without waits; where more frames come.
pub fn notification(selection: &Selection) -> Vec<Claim> {
    let pairs = [
        (W0S1500, W0S0064),
        (W0S1500, W1S0064),
        (W0S1500, W1S1500),
        (W0S0064, W1S0064),
    ];
    let mut claims: Vec<Claim> = pairs
        .map(|(one, other)| between(selection, one, other, Dom0, Stage::Notify))
        .into();
    let received = |scenario| series(selection, scenario, |run| Some(run.frames.at(Dom0) as f64));
    claims.push(greater(
        "more frames are received at w0s1500 than at w0s0064, which would explain it".into(),
        Side::new("frames at w0s1500", received(W0S1500)),
        Side::new("at w0s0064", received(W0S0064)),
    ));
    claims
}

/// The frames' size decides it, w0s0064 left aside.
pub fn to_user(selection: &Selection) -> Vec<Claim> {
    let mut claims: Vec<Claim> = [(W1S1500, W1S0064), (W0S1500, W1S0064)]
        .into_iter()
        .map(|(large, small)| between(selection, large, small, DomU, Stage::CopyUser))
        .collect();
    let side = |scenario, name| Side {
        name,
        floors: costs(selection, scenario, DomU, Stage::CopyUser),
    };
    claims.push(similar(
        format!(
            "at 1500 bytes the wait changes it by no more than {}",
            percent(MARGIN)
        ),
        side(W0S1500, "w0s1500"),
        side(W1S1500, "w1s1500"),
    ));
    claims
}

/// What load does to it is less than what load does to the stages before.
pub fn damped(selection: &Selection) -> Vec<Claim> {
    let strength = |domain, stage, now, wait| -> Series {
        let of = |scenario| series(selection, scenario, |run| mean(run, domain, stage));
        let wait = of(wait);
        of(now)
            .into_iter()
            .map(|(repetition, now)| {
                let wait = wait.get(&repetition).copied().unwrap_or(f64::NAN);
                (repetition, (now / wait).ln())
            })
            .collect()
    };
    let mut claims = Vec::new();
    for (now, wait) in [(W0S0064, W1S0064), (W0S1500, W1S1500)] {
        for (domain, stage) in [
            (Dom0, Stage::NicIrq),
            (Dom0, Stage::Softirq),
            (DomU, Stage::Softirq),
        ] {
            let before = strength(domain, stage, now, wait);
            let here = strength(DomU, Stage::CopyUser, now, wait);
            let less: Series = before
                .iter()
                .map(|(repetition, before)| {
                    let here = here.get(repetition).copied().unwrap_or(f64::NAN);
                    (*repetition, before - here)
                })
                .collect();
            claims.push(bounded(
                format!(
                    "{now} against {wait} changes it less than {domain}'s {}",
                    stage.label()
                ),
                Measure::Difference,
                &less,
                Bound::Above(0.0),
            ));
        }
    }
    claims
}
