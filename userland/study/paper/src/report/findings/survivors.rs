// SPDX-License-Identifier: GPL-2.0

//! How many frames survive where they come fastest, and what is lost between the domains.

use super::claim::{Claim, Measure};
use super::decide::{bounded, greater, Bound, Side};
use super::series::{captured_share, series};
use crate::numbers::percent;
use crate::report::selection::Selection;
use xcap_study::run_id::Buffer;
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::{W0S0064, W0S1500, W1S0064, W1S1500};

/// In the paper 26 of 10,000 were captured; one in a hundred is few.
const FEW: f64 = 0.01;

/// Few are captured; and of those that are lost, some are between the domains.
pub fn survivors(selection: &Selection) -> Vec<Claim> {
    let survived = captured_share(selection, W0S0064, selection.buffer);
    let text = format!(
        "fewer than 1 in 100 are captured with the {} socket buffer",
        match selection.buffer {
            Buffer::System => "system's",
            Buffer::Large => "large",
        }
    );
    vec![bounded(text, Measure::Share, &survived, Bound::Below(FEW))]
}

/// Without waits, more is lost between dom0's card and the guest.
pub fn between_domains(selection: &Selection) -> Vec<Claim> {
    let came = |scenario| {
        series(selection, scenario, |run| {
            Some(run.frames.at(DomU) as f64 / run.frames.at(Dom0) as f64)
        })
    };
    [(W0S0064, W1S0064), (W0S1500, W1S1500)]
        .map(|(now, wait)| {
            let (first, second) = (
                format!("share that comes to domU at {wait}"),
                format!("at {now}"),
            );
            greater(
                format!("more is lost between the domains at {now} than at {wait}"),
                Side::new(&first, came(wait)),
                Side::new(&second, came(now)),
            )
        })
        .into()
}

/// Which share survives, and whether it's the socket's buffer that decides.
pub fn what_the_buffer_does(selection: &Selection) -> String {
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
