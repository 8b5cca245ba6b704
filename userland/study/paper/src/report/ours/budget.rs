// SPDX-License-Identifier: GPL-2.0

//! Where all CPU time of a receiving machine went, from before the first frame to after the last.

use std::collections::BTreeMap;

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;

use crate::called::called;
use crate::figure::{stacks, theme, Figure, Heading, Stack};
use crate::numbers::{percent, short};
use crate::own_cycles::{of_stage, probes, Floor};
use crate::repetitions::{level, Estimate};
use crate::report::selection::Selection;
use crate::study::{average, Series};
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::role::Role;
use xcap_study::run_id::{Domain, Environment};
use xcap_study::scenario::Scenario;

/// What isn't a stage of the path, in the order in which it is shown.
const OTHERS: [(&str, RGBColor); 6] = [
    ("other interrupts", theme::GREY),
    ("xcap's probes", theme::MEANS),
    ("programs", theme::SUMS),
    ("hypervisor, other domains", theme::MEASURED),
    ("idle", theme::GRID),
    ("not attributed", theme::INK),
];

/// The kernel's accounts may be so much more than all time, by their 10 ms; where they are more, they are no budget.
const DISAGREEMENT: f64 = 0.05;

/// Parts of all time, as shares: stages by their words, and [`OTHERS`].
type Shares = BTreeMap<String, f64>;

/// The budget of a machine in a run; none where its kernel's accounts weren't kept.
fn shares(run: &Run, domain: Domain) -> Option<Shares> {
    let time = run.parts.get(&Role::from(domain))?.time?;
    let stats = run.stats.get(&domain)?;
    let cycles = |ns: u64| ns as f64 * stats.tsc_khz as f64 / 1e6;
    let all = cycles(time.window_ns) * time.cpus as f64;
    let mut shares = Shares::new();
    let mut left = 1.0;
    let mut put = |name: &str, cycles: f64| {
        let share = cycles / all;
        left -= share;
        *shares.entry(name.to_owned()).or_default() += share;
    };
    for stage in &stats.stages {
        let on_path = Stage::path().any(|path| path.word() == stage.stage);
        let name = if on_path { &stage.stage } else { OTHERS[0].0 };
        put(name, of_stage(stats, stage, Floor::Least));
    }
    put(OTHERS[1].0, probes(stats));
    put(OTHERS[2].0, cycles(time.user_ns));
    put(OTHERS[3].0, cycles(time.steal_ns));
    put(OTHERS[4].0, cycles(time.idle_ns));
    shares.insert(OTHERS[5].0.to_owned(), left);
    (all > 0.0 && left > -DISAGREEMENT).then_some(shares)
}

/// Each part's share in every repetition, in the order in which they are shown.
fn parts(selection: &Selection, scenario: Scenario, domain: Domain) -> Vec<(String, Series)> {
    let condition = selection.condition(scenario);
    let runs: Vec<(u32, Shares)> = selection
        .study
        .of(condition)
        .filter_map(|run| Some((run.id.repetition, shares(run, domain)?)))
        .collect();
    let names = Stage::path()
        .map(Stage::word)
        .chain(OTHERS.map(|(name, _)| name));
    let part = |name: &str| -> Series {
        let each = runs.iter();
        each.filter_map(|(repetition, shares)| Some((*repetition, *shares.get(name)?)))
            .collect()
    };
    names
        .map(|name| (name.to_owned(), part(name)))
        // A stage of another machine's path takes nothing here.
        .filter(|(_, series)| series.values().any(|share| *share != 0.0))
        .collect()
}

/// Of parts that may be small, two digits more than whole per cents.
fn share_of(share: f64) -> String {
    format!("{:.2} %", 100.0 * share).replace('-', "−")
}

fn mean(series: &Series) -> f64 {
    average(series.values().copied())
}

/// The budget of a machine in every scenario; none where its kernel's accounts weren't kept.
pub fn budget(selection: &Selection, environment: Environment, domain: Domain) -> Option<Figure> {
    let selection = selection.on(environment);
    let mut table = Table::new(&[
        "scenario",
        "part",
        "share",
        "95 %",
        "of it when idle",
        "repetitions",
    ]);
    let mut drawn = Vec::new();
    for &scenario in &selection.scenarios {
        let parts = parts(&selection, scenario, domain);
        if parts.is_empty() {
            continue;
        }
        let busy = 1.0
            - parts
                .iter()
                .filter(|(name, _)| name == OTHERS[4].0)
                .map(|(_, idle)| mean(idle))
                .sum::<f64>();
        drawn.push(Stack {
            label: scenario.to_string(),
            end: format!("{} busy", percent(busy)),
            parts: parts
                .iter()
                .map(|(name, share)| (100.0 * mean(share).max(0.0), colour(name)))
                .collect(),
        });
        for (name, share) in &parts {
            let interval = level(share).ok().as_ref().map(Estimate::interval);
            table.push(vec![
                Cell::text(scenario.to_string()),
                Cell::text(name),
                Cell::Number(mean(share), share_of(mean(share))),
                interval.map_or(Cell::Missing, |(low, high)| {
                    // Only what isn't attributed may be less than nothing.
                    let least = if name == OTHERS[5].0 {
                        low
                    } else {
                        low.max(0.0)
                    };
                    Cell::text(format!("{} to {}", share_of(least), share_of(high)))
                }),
                Cell::share(when_idle(&selection, scenario, domain, name)),
                Cell::count(share.len() as u64),
            ]);
        }
    }
    if drawn.is_empty() {
        return None;
    }
    let place = if environment.is_xen() {
        domain.name()
    } else {
        "native"
    };
    let title = format!("{place}: where its CPU time went");
    let subtitle = selection.subtitle("% of all CPU time");
    let legend: Vec<(String, RGBColor)> = Stage::path()
        .map(|stage| (stage.label().to_owned(), theme::of_stage(stage)))
        .chain(OTHERS.map(|(name, colour)| (name.to_owned(), colour)))
        .collect();
    let window = window(&selection, domain);
    Some(Figure {
        id: format!("budget-{}-{domain}", environment.name()),
        svg: stacks(&Heading::new(&title, &subtitle), &legend, &drawn),
        title,
        note: format!(
            "All time of its CPUs from before the first frame to after the last ({window} ms on average), the wait for \
             quiet included. Stages by self time, less what the probes cost; programs, hypervisor and idle by the \
             kernel's own accounts, to 10 ms. What is not attributed is the rest: scheduler, system calls, \
             kernel threads, calls that slept. Below 0 it says how far the two accounts disagree; a run in which that is more than 5 % is left out."
        ),
        table,
    })
}

fn colour(name: &str) -> RGBColor {
    let other = OTHERS.iter().find(|(other, _)| *other == name);
    let stage = || Stage::path().find(|stage| stage.word() == name);
    other
        .map(|(_, colour)| *colour)
        .or_else(|| stage().map(theme::of_stage))
        .unwrap_or(theme::GREY)
}

fn times<'a>(selection: &'a Selection, domain: Domain) -> impl Iterator<Item = f64> + use<'a> {
    let runs = selection
        .study
        .runs
        .iter()
        .filter(|run| run.id.environment == selection.environment);
    runs.filter_map(move |run| {
        Some(run.parts.get(&Role::from(domain))?.time?.window_ns as f64 / 1e6)
    })
}

fn window(selection: &Selection, domain: Domain) -> String {
    let (count, sum) = times(selection, domain).fold((0, 0.0), |(n, sum), ms| (n + 1, sum + ms));
    short(sum / f64::from(count))
}

/// The share that a stage has of the idle window before the first frame.
fn when_idle(selection: &Selection, scenario: Scenario, domain: Domain, name: &str) -> Option<f64> {
    let shares: Vec<f64> = selection
        .study
        .of(selection.condition(scenario))
        .filter_map(|run| {
            let idle = run.parts.get(&Role::from(domain))?.idle.as_ref()?;
            let stats = idle.measured()?;
            let all =
                idle.time.window_ns as f64 * idle.time.cpus as f64 * stats.tsc_khz as f64 / 1e6;
            let stage = called(&stats.stages, name)?;
            Some(of_stage(&stats, stage, Floor::Least) / all)
        })
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}
