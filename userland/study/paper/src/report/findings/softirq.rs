// SPDX-License-Identifier: GPL-2.0

//! Claims on the softirq: what the NIC's driver is of it, and how domU's follows dom0's.

use xcap_abi::stage::Stage;

use super::claim::{Claim, Measure};
use super::costs::dearer_in_dom0;
use super::decide::{bounded, greater, Bound, Side};
use super::interrupt::same;
use super::series::series;
use crate::report::selection::Selection;
use crate::study::{calls, mean, self_sum, sum, Series};
use xcap_study::run_id::Domain::{Dom0, DomU};
use xcap_study::scenario::{PAPER, W0S0064, W0S1500, W1S0064, W1S1500};

/// It is the first stage whose cost depends on the frame's size: the interrupt's doesn't.
pub fn first_by_size(selection: &Selection) -> Vec<Claim> {
    let a_frame = |scenario| {
        series(selection, scenario, |run| {
            Some(sum(run, Dom0, Stage::Softirq)? / run.frames.at(Dom0) as f64)
        })
    };
    let mut claims = Vec::new();
    for (large, small) in [(W0S1500, W0S0064), (W1S1500, W1S0064)] {
        let unit = selection.unit();
        let (first, second) = (format!("{unit} a frame at {large}"), format!("at {small}"));
        claims.push(greater(
            format!("a frame's softirq costs more at {large} than at {small}"),
            Side::new(&first, a_frame(large)),
            Side::new(&second, a_frame(small)),
        ));
    }
    claims.push(same(selection, Stage::NicIrq, W1S0064, W1S1500));
    claims
}

/// The NIC driver is most of it, and most of its variance.
pub fn driver(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for scenario in PAPER {
        let share = series(selection, scenario, |run| {
            Some(self_sum(run, Dom0, Stage::NicPoll)? / sum(run, Dom0, Stage::Softirq)?)
        });
        let text = format!("at {scenario} the driver's self time is more than half of the softirq");
        claims.push(bounded(text, Measure::Share, &share, Bound::Above(0.5)));
    }
    claims.push(Claim::undecidable(
        "the driver makes most of the softirq's variance",
        Measure::Share,
        "of a batch, count and squares say nothing of what goes together: a trace of calls, or sums of \
         work² and work × cost, would decide",
    ));
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
        });
        let text = format!("at {scenario} domU has less than half of dom0's calls");
        claims.push(bounded(text, Measure::Share, &share, Bound::Below(0.5)));
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
    let all = |domain| {
        PAPER.map(|scenario| series(selection, scenario, |run| mean(run, domain, Stage::Softirq)))
    };
    let (dom0, domu) = (all(Dom0), all(DomU));
    let logarithms = |all: &[Series], repetition: u32| -> Option<Vec<f64>> {
        all.iter()
            .map(|series| series.get(&repetition).map(|mean| mean.ln()))
            .collect()
    };
    let repetitions = dom0[0].keys().copied();
    repetitions
        .map(|repetition| {
            let correlation = logarithms(&dom0, repetition)
                .zip(logarithms(&domu, repetition))
                .map(|(x, y)| pearson(&x, &y));
            (repetition, correlation.unwrap_or(f64::NAN))
        })
        .collect()
}

/// NaN where one of them doesn't vary.
fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let product: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let square =
        |values: &[f64], middle: f64| values.iter().map(|v| (v - middle).powi(2)).sum::<f64>();
    product / (square(x, mx) * square(y, my)).sqrt()
}
