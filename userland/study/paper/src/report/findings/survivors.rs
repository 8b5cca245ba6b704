// SPDX-License-Identifier: GPL-2.0

//! How many frames survive where they come fastest.

use super::claim::Claim;
use super::decide::{bounded, Bound, Measure};
use super::series::captured_share;
use crate::numbers::percent;
use crate::report::selection::Selection;
use xcap_study::run_id::Buffer;
use xcap_study::scenario::W0S0064;

/// Most are lost.
pub fn survivors(selection: &Selection) -> Vec<Claim> {
    let survived = captured_share(selection, W0S0064, selection.buffer);
    let text = format!(
        "most are lost with the {} socket buffer",
        match selection.buffer {
            Buffer::System => "system's",
            Buffer::Large => "large",
        }
    );
    vec![bounded(
        text,
        Measure::Share("captured"),
        &survived,
        Bound::Below(0.5),
    )]
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
