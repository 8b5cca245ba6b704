// SPDX-License-Identifier: GPL-2.0

//! What the paper left as future work.

use xcap_abi::stage::Stage;

use super::selection::Selection;
use crate::histogram::{modes, tail};
use crate::numbers::{percent, probability, short};
use crate::own_cycles::{beyond_idle, Floor};
use crate::repetitions::unpaired_ratio;
use crate::study::{Condition, Series};
use crate::tables::{Cell, Table};
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::Scenario;

/// Copy and notification.
const VARYING: [Stage; 3] = [Stage::Copy, Stage::GrantCopy, Stage::Notify];

/// Why copy and notification vary so much: a sentence or two for each.
pub fn answers(selection: &Selection) -> Vec<String> {
    VARYING
        .into_iter()
        .filter_map(|stage| answer(selection, stage))
        .collect()
}

fn answer(selection: &Selection, stage: Stage) -> Option<String> {
    // The scenario in which it varies most.
    let (scenario, pooled, spread) = selection
        .scenarios
        .iter()
        .filter_map(|&scenario| {
            let pooled = selection.pooled(scenario, Domain::Dom0, stage)?;
            let spread = pooled.moments.standard_deviation()? / pooled.mean()?;
            Some((scenario, pooled, spread))
        })
        .max_by(|one, other| one.2.total_cmp(&other.2))?;
    let mean = pooled.mean()?;
    let nested = (1.0 - pooled.self_mean()? / mean).max(0.0);
    let (cycles, variance) = tail(&pooled.histogram, 0.01)?;
    let humps = modes(&pooled.histogram);
    let unit = selection.unit();
    let mut text = format!(
        "{} ({}()) varies most at {scenario}: its standard deviation is {spread:.1} times its mean. \
         The slowest 1 % of its calls take {} of its {unit} and make {} of its variance; {} of its mean \
         is not its own but of stages, interrupts and other tasks that ran within it.",
        match stage {
            Stage::Copy => "The copy of a frame",
            Stage::GrantCopy => "The copy hypercall",
            _ => "The notification",
        },
        pooled.function,
        percent(cycles),
        percent(variance),
        percent(nested),
    );
    if pooled.work > 0 {
        text.push_str(&format!(
            " A call does {:.0} {} on average, at {} {unit} each: part of the spread is the size of batches.",
            pooled.work as f64 / pooled.moments.count as f64,
            pooled.work_unit.as_deref().unwrap_or("units"),
            short(pooled.moments.sum as f64 / pooled.work as f64),
        ));
    }
    match humps.as_slice() {
        [] | [_] => text.push_str(" Its histogram has one hump, as far as half octaves tell."),
        humps => {
            let each: Vec<String> = humps
                .iter()
                .map(|mode| format!("{} at about {}", percent(mode.share), short(mode.at)))
                .collect();
            text.push_str(&format!(
                " Its calls are of {} kinds: {} {unit}.",
                humps.len(),
                each.join(", ")
            ));
        }
    }
    Some(text)
}

/// Why they vary: the figures.
pub fn variation(selection: &Selection) -> Table {
    let slowest = format!("slowest 1 %: {}", selection.unit());
    let mut table = Table::new(&[
        "stage",
        "scenario",
        "calls",
        "mean",
        "std dev ÷ mean",
        "not its own",
        "work a call",
        &slowest,
        "slowest 1 %: variance",
        "modes",
    ]);
    for stage in VARYING {
        for &scenario in &selection.scenarios {
            let Some(pooled) = selection.pooled(scenario, Domain::Dom0, stage) else {
                continue;
            };
            let mean = pooled.mean();
            let spread = pooled
                .moments
                .standard_deviation()
                .zip(mean)
                .map(|(s, m)| s / m);
            let nested = pooled
                .self_mean()
                .zip(mean)
                .map(|(own, mean)| (1.0 - own / mean).max(0.0));
            let slow = tail(&pooled.histogram, 0.01);
            let work = (pooled.work > 0).then(|| pooled.work as f64 / pooled.moments.count as f64);
            let humps: Vec<String> = modes(&pooled.histogram)
                .iter()
                .map(|mode| short(mode.at))
                .collect();
            table.push(vec![
                Cell::text(stage.word()),
                Cell::text(scenario.to_string()),
                Cell::count(pooled.moments.count),
                Cell::short(mean),
                Cell::hundredths(spread),
                Cell::share(nested),
                Cell::hundredths(work),
                Cell::share(slow.map(|(cycles, _)| cycles)),
                Cell::share(slow.map(|(_, variance)| variance)),
                Cell::text(humps.join(", ")),
            ]);
        }
    }
    table
}

/// All of a domain's self time beyond an idle machine's, a frame that came to the card: one
/// denominator for all domains.
fn self_a_frame(
    selection: &Selection,
    environment: Environment,
    domain: Domain,
    scenario: Scenario,
    buffer: Buffer,
) -> Series {
    let condition = Condition {
        environment,
        scenario,
        buffer,
    };
    selection.study.series(condition, |run| {
        let cycles = beyond_idle(run, domain, Floor::Least)?;
        Some(cycles / run.frames.at(Domain::Dom0) as f64).filter(|cycles| cycles.is_finite())
    })
}

/// Virtualised against not: all self time a frame.
pub fn overhead(selection: &Selection) -> Table {
    let mut table = Table::new(&[
        "scenario",
        "environment",
        "native",
        "dom0",
        "domU",
        "dom0 + domU",
        "÷ native",
        "95 % interval",
        "test",
    ]);
    for &scenario in &selection.scenarios {
        for environment in selection.study.environments() {
            if !environment.is_xen() {
                continue;
            }
            let of = |environment, domain| {
                self_a_frame(selection, environment, domain, scenario, selection.buffer)
            };
            let native = of(Environment::Native, Domain::Bare);
            let (dom0, domu) = (of(environment, Domain::Dom0), of(environment, Domain::DomU));
            let both: Series = dom0
                .iter()
                .filter_map(|(at, one)| Some((*at, one + domu.get(at)?)))
                .collect();
            let average = |series: &Series| {
                (!series.is_empty()).then(|| series.values().sum::<f64>() / series.len() as f64)
            };
            // Native and Xen's machines start apart: no repetition of one belongs to one of the other.
            let estimate = unpaired_ratio(&both, &native);
            table.push(vec![
                Cell::text(scenario.to_string()),
                Cell::text(environment.label()),
                Cell::short(average(&native)),
                Cell::short(average(&dom0)),
                Cell::short(average(&domu)),
                Cell::short(average(&both)),
                Cell::ratio(estimate.as_ref().ok().map(|estimate| estimate.value())),
                estimate.as_ref().map_or(Cell::Missing, |e| {
                    let (low, high) = e.interval();
                    Cell::text(format!("{low:.2} to {high:.2}"))
                }),
                match &estimate {
                    Ok(estimate) => Cell::text(probability(estimate.p(1.0))),
                    Err(few) => Cell::text(few.to_string()),
                },
            ]);
        }
    }
    table
}
