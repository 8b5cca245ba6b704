// SPDX-License-Identifier: GPL-2.0

//! Claims of the paper's method (5.3) and of its conclusions (7).

use xcap_abi::stage::Stage;

use super::claim::{Claim, Measure};
use super::copy::COPYING;
use super::decide::{bounded, similar, Bound, Side, MARGIN};
use super::series::{costs, series};
use crate::numbers::percent;
use crate::own_cycles::{all, named, Floor};
use crate::report::selection::Selection;
use crate::study::{mean, Series};
use xcap_study::load::Run;
use xcap_study::run_id::Domain::{self, Dom0, DomU};
use xcap_study::scenario::{Scenario, PAPER, W0S0064, W0S1500, W1S0064, W1S1500};

/// The stages of the paper's figures.
const STAGES: [(Domain, Stage); 9] = [
    (Dom0, Stage::NicIrq),
    (Dom0, Stage::Softirq),
    (Dom0, Stage::Bridge),
    (Dom0, Stage::Netback),
    (Dom0, Stage::Copy),
    (Dom0, Stage::Notify),
    (DomU, Stage::NicIrq),
    (DomU, Stage::Softirq),
    (DomU, Stage::CopyUser),
];

/// A wait longer than 1 µs changes nothing.
pub fn longer_waits(selection: &Selection) -> Vec<Claim> {
    let mut claims = Vec::new();
    for short in [W1S0064, W1S1500] {
        let longer =
            |scenario: &&Scenario| scenario.wait_us > short.wait_us && scenario.size == short.size;
        for &long in selection.scenarios.iter().filter(longer) {
            let (first, second) = (long.to_string(), short.to_string());
            for (domain, stage) in [
                (Dom0, Stage::Softirq),
                (Dom0, Stage::Bridge),
                (DomU, Stage::CopyUser),
            ] {
                let side = |scenario, name| Side {
                    name,
                    floors: costs(selection, scenario, domain, stage),
                };
                claims.push(similar(
                    format!(
                        "{domain}'s {} at {long} is that at {short} but for {}",
                        stage.label(),
                        percent(MARGIN)
                    ),
                    side(long, &first),
                    side(short, &second),
                ));
            }
        }
    }
    if claims.is_empty() {
        let why = "no longer wait was run: --scenarios w0s0064,w0s1500,w1s0064,w1s1500,w10s0064,w10s1500 would decide";
        claims.push(Claim::undecidable(
            "longer waits behave as 1 µs does",
            Measure::Ratio,
            why,
        ));
    }
    claims
}

/// More frames a run would make the means little surer: their spread is between runs.
pub fn more_frames(selection: &Selection) -> Vec<Claim> {
    STAGES
        .into_iter()
        .map(|(domain, stage)| {
            // Of each scenario: what calls within a run explain of the variance of runs' means.
            let within: Series = (1..)
                .zip(PAPER)
                .map(|(at, scenario)| {
                    (
                        at,
                        explained_by_calls(selection, scenario, domain, stage)
                            .map_or(f64::NAN, f64::ln),
                    )
                })
                .collect();
            let text = format!(
                "calls within a run make less than half of the variance of {domain}'s {}",
                stage.label()
            );
            bounded(
                text,
                Measure::Difference,
                &within,
                Bound::Below(0.5_f64.ln()),
            )
        })
        .collect()
}

fn explained_by_calls(
    selection: &Selection,
    scenario: Scenario,
    domain: Domain,
    name: Stage,
) -> Option<f64> {
    let condition = selection.condition(scenario);
    let runs: Vec<(f64, f64)> = selection
        .study
        .of(condition)
        .filter_map(|run| {
            let moments = xcap_stats::Moments::of(crate::study::stage(run, domain, name)?);
            Some((moments.mean()?, moments.variance()? / moments.count as f64))
        })
        .collect();
    let n = runs.len() as f64;
    let mean = runs.iter().map(|(mean, _)| mean).sum::<f64>() / n;
    let between = runs
        .iter()
        .map(|(each, _)| (each - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let within = runs.iter().map(|(_, error)| error).sum::<f64>() / n;
    (runs.len() > 1 && between > 0.0 && within > 0.0).then(|| within / between)
}

/// Load makes every stage dearer, and small frames more so.
pub fn degradation(selection: &Selection) -> Vec<Claim> {
    let load = |(domain, stage), (now, wait)| -> Series {
        let of = |scenario| series(selection, scenario, |run| mean(run, domain, stage));
        let wait = of(wait);
        let each = of(now).into_iter().map(|(repetition, now)| {
            let wait = wait.get(&repetition).copied().unwrap_or(f64::NAN);
            (repetition, (now / wait).ln())
        });
        each.collect()
    };
    let (small, large) = ((W0S0064, W1S0064), (W0S1500, W1S1500));
    let average = |pair| -> Series {
        let each: Vec<Series> = STAGES.iter().map(|&stage| load(stage, pair)).collect();
        let repetitions = each
            .first()
            .into_iter()
            .flat_map(|series| series.keys().copied());
        let mean = |repetition| {
            let there: Vec<f64> = each
                .iter()
                .filter_map(|series| series.get(&repetition).copied())
                .collect();
            there.iter().sum::<f64>() / there.len() as f64
        };
        repetitions
            .map(|repetition| (repetition, mean(repetition)))
            .collect()
    };
    let (of_small, of_large) = (average(small), average(large));
    let more: Series = of_small
        .iter()
        .map(|(repetition, small)| {
            (
                *repetition,
                small - of_large.get(repetition).copied().unwrap_or(f64::NAN),
            )
        })
        .collect();
    let claim = |text: &str, series: &Series| {
        bounded(text.into(), Measure::Difference, series, Bound::Above(0.0))
    };
    vec![
        claim(
            "over the nine stages of the figures, calls cost more at w0s0064 than at w1s0064",
            &of_small,
        ),
        claim("… and at w0s1500 than at w1s1500", &of_large),
        claim("… and that is more with small frames", &more),
    ]
}

/// Stages that exist for the guest's sake.
const OF_XEN: [Stage; 5] = [
    Stage::Netback,
    COPYING[0],
    COPYING[1],
    COPYING[2],
    Stage::Notify,
];

fn share_of(run: &Run, stages: &[Stage]) -> Option<f64> {
    let each = stages
        .iter()
        .map(|stage| named(run, Dom0, stage.word(), Floor::Least));
    Some(each.flatten().sum::<f64>() / all(run, Dom0, Floor::Least)?)
}

/// Under load, what is for the guest alone is a good share of dom0's cost.
pub fn xens_share(selection: &Selection) -> Vec<Claim> {
    [W0S0064, W0S1500]
        .map(|scenario| {
            let share = series(selection, scenario, |run| share_of(run, &OF_XEN));
            let text = format!("at {scenario} netback, copy and notification take a quarter of dom0's self time, or more");
            bounded(text, Measure::Share, &share, Bound::Above(0.25))
        })
        .into()
}

/// … and so is the bridge's.
pub fn the_bridge(selection: &Selection) -> Vec<Claim> {
    [W0S0064, W0S1500]
        .map(|scenario| {
            let share = series(selection, scenario, |run| share_of(run, &[Stage::Bridge]));
            let text =
                format!("at {scenario} the bridge takes a tenth of dom0's self time, or more");
            bounded(text, Measure::Share, &share, Bound::Above(0.1))
        })
        .into()
}
