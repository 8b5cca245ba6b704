// SPDX-License-Identifier: GPL-2.0

//! Claims on the softirq: what the NIC's driver is of it, and how domU's follows dom0's.

use xcap_abi::stage::Stage;

use super::claim::Claim;
use super::costs::dearer_in_dom0;
use super::decide::{bounded, Bound, Measure};
use super::series::{means, series};
use crate::report::selection::Selection;
use crate::study::{calls, self_sum, sum, variance, Series};
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::PAPER;

/// The NIC driver is most of it, and most of its variance.
pub fn driver(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for scenario in PAPER {
        let share = series(selection, scenario, |run| {
            Some(self_sum(run, Dom0, Stage::NicPoll)? / sum(run, Dom0, Stage::Softirq)?)
                .filter(|share| share.is_finite())
        });
        let text = format!("at {scenario} the driver's self time is more than half of the softirq");
        claims.push(bounded(
            text,
            Measure::Share("share"),
            &share,
            Bound::Above(0.5),
        ));
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
        claims.push(bounded(
            text,
            Measure::Share("share"),
            &share,
            Bound::Above(0.5),
        ));
    }
    claims
}

/// domU's repeats dom0's on a smaller scale.
pub fn in_both_domains(selection: &Selection) -> Vec<Claim> {
    let mut claims: Vec<Claim> = PAPER
        .map(|scenario| dearer_in_dom0(selection, scenario, Stage::Softirq))
        .into();
    for scenario in PAPER {
        let share = series(selection, scenario, |run| {
            Some(calls(run, DomU, Stage::Softirq)? / calls(run, Dom0, Stage::Softirq)?)
                .filter(|share| share.is_finite())
        });
        let text = format!("at {scenario} domU has less than half of dom0's calls");
        claims.push(bounded(
            text,
            Measure::Share("share"),
            &share,
            Bound::Below(0.5),
        ));
    }
    claims.push(bounded(
        "the scenarios' costs in both domains go together (correlation of logarithms)".into(),
        Measure::Correlation,
        &correlation(selection),
        Bound::Above(0.0),
    ));
    claims
}

/// Of each repetition: Pearson's correlation, over the scenarios, of both domains' softirq.
fn correlation(selection: &Selection) -> Series {
    let all = |domain| PAPER.map(|scenario| means(selection, scenario, domain, Stage::Softirq));
    let (dom0, domu) = (all(Dom0), all(DomU));
    let logarithms = |all: &[Series], repetition: u32| -> Option<Vec<f64>> {
        all.iter()
            .map(|series| series.get(&repetition).map(|mean| mean.ln()))
            .collect()
    };
    let repetitions = dom0[0].keys().copied();
    repetitions
        .filter_map(|repetition| {
            let (x, y) = (
                logarithms(&dom0, repetition)?,
                logarithms(&domu, repetition)?,
            );
            Some((repetition, pearson(&x, &y)?))
        })
        .collect()
}

/// `None` where one of them doesn't vary.
fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let product: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let square =
        |values: &[f64], middle: f64| values.iter().map(|v| (v - middle).powi(2)).sum::<f64>();
    let correlation = product / (square(x, mx) * square(y, my)).sqrt();
    correlation.is_finite().then_some(correlation)
}
