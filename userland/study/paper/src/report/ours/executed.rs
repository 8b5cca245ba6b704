// SPDX-License-Identifier: GPL-2.0

//! What an emulated machine executed while frames came, hypervisor and all its domains with it: counted, to the last
//! instruction. The kernel's own accounts are to its tick, with which frames of such a study keep step.

use std::collections::BTreeMap;

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;
use xcap_stats::Stats;
use xcap_study::load::Run;
use xcap_study::part::OnWire;
use xcap_study::role::Role;
use xcap_study::run_id::{Domain, Environment};
use xcap_study::scenario::Scenario;

use crate::figure::{stacks, theme, Figure, Heading, Stack};
use crate::numbers::{percent, short};
use crate::own_cycles::{of_stage, probes, Floor};
use crate::repetitions::{level, Estimate};
use crate::report::selection::Selection;
use crate::study::{average, Series};
use crate::tables::{Cell, Table};

/// What isn't a stage of a domain's path, in the order in which it is shown.
const OTHERS: [(&str, RGBColor); 4] = [
    ("other interrupts", theme::GREY),
    ("xcap's probes", theme::MEANS),
    ("programs", theme::SUMS),
    ("not attributed", theme::INK),
];

/// A part of what was executed: a stage of a domain, or one of [`OTHERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Stage(Domain, Stage),
    Other(usize),
}

impl Part {
    fn name(self, environment: Environment) -> String {
        match self {
            Self::Stage(domain, stage) if environment.is_xen() => {
                format!("{domain} {}", stage.word())
            }
            Self::Stage(_, stage) => stage.word().to_owned(),
            Self::Other(at) => OTHERS[at].0.to_owned(),
        }
    }

    fn colour(self) -> RGBColor {
        match self {
            Self::Stage(_, stage) => theme::of_stage(stage),
            Self::Other(at) => OTHERS[at].1,
        }
    }
}

/// Parts of all instructions, as shares, and how many there were for each frame that was offered.
struct Budget {
    shares: BTreeMap<Part, f64>,
    a_frame: f64,
}

impl Budget {
    /// Of a run; none where instructions weren't counted.
    fn of(run: &Run) -> Option<Self> {
        let wire = run.parts.get(&Role::Sender)?.wire?;
        let all = wire.instructions as f64;
        let mut parts = BTreeMap::<Part, f64>::new();
        for &domain in run.id.environment.domains() {
            let stats = run.stats.get(&domain)?;
            let instructions = |ticks: f64| ticks * 1e6 / stats.tsc_khz as f64;
            let mut put = |part, ticks| *parts.entry(part).or_default() += instructions(ticks);
            for stage in &stats.stages {
                let own = of_stage(stats, stage, Floor::Least);
                match Stage::parse(&stage.stage).filter(|stage| stage.is_on_path()) {
                    Some(stage) => put(Part::Stage(domain, stage), own),
                    None => put(Part::Other(0), own),
                }
            }
            put(Part::Other(1), probes(stats));
            // The recorder's time is longer than that in which instructions were counted.
            let beside = beside(run, domain, &wire);
            put(Part::Other(0), -beside.interrupts);
            put(Part::Other(1), -beside.probes);
        }
        parts.insert(Part::Other(2), wire.user_instructions? as f64);
        let known: f64 = parts.values().sum();
        parts.insert(Part::Other(3), all - known);
        parts.retain(|_, instructions| *instructions != 0.0);
        (all > 0.0).then(|| Self {
            shares: parts
                .into_iter()
                .map(|(part, instructions)| (part, instructions / all))
                .collect(),
            a_frame: all / wire.offered.max(1) as f64,
        })
    }
}

/// Ticks of what interrupts anyway, and of probes.
#[derive(Default)]
struct Beside {
    interrupts: f64,
    probes: f64,
}

/// What an idle machine does in the time that a run was recorded longer than its instructions were counted.
fn beside(run: &Run, domain: Domain, wire: &OnWire) -> Beside {
    let part = run.parts.get(&Role::from(domain));
    let known = part.and_then(|part| Some((part.time?, part.idle.as_ref()?)));
    let Some((time, idle, stats)) =
        known.and_then(|(time, idle)| Some((time, idle, idle.measured()?)))
    else {
        return Beside::default();
    };
    let beside_ns = (time.window_ns as f64 - wire.watched_seconds() * 1e9).max(0.0);
    let times = beside_ns / idle.time.window_ns.max(1) as f64;
    Beside {
        interrupts: interrupts(&stats) * times,
        probes: probes(&stats) * times,
    }
}

fn interrupts(stats: &Stats) -> f64 {
    let on_path = |name: &str| Stage::path().any(|stage| stage.word() == name);
    let others = stats.stages.iter().filter(|stage| !on_path(&stage.stage));
    others
        .map(|stage| of_stage(stats, stage, Floor::Least))
        .sum()
}

/// The budget of a machine in every scenario; none where instructions weren't counted.
pub fn executed(selection: &Selection, environment: Environment) -> Option<Figure> {
    let selection = selection.on(environment);
    let mut table = Table::new(&[
        "scenario",
        "part",
        "share",
        "95 %",
        "instructions a frame offered",
        "repetitions",
    ]);
    let mut drawn = Vec::new();
    for &scenario in &selection.scenarios {
        let budgets = budgets(&selection, scenario);
        if budgets.is_empty() {
            continue;
        }
        let a_frame = average(budgets.values().map(|budget| budget.a_frame));
        let parts = parts(&budgets);
        drawn.push(Stack {
            label: scenario.to_string(),
            end: format!("{} a frame", short(a_frame)),
            parts: parts
                .iter()
                .map(|(part, series)| {
                    let share = average(series.values().copied());
                    (100.0 * share.max(0.0), part.colour())
                })
                .collect(),
        });
        for (part, series) in &parts {
            let share = average(series.values().copied());
            let spent = budgets.values().map(|budget| {
                let share = budget.shares.get(part).copied();
                share.unwrap_or(0.0) * budget.a_frame
            });
            let interval = level(series).ok().as_ref().map(Estimate::interval);
            table.push(vec![
                Cell::text(scenario.to_string()),
                Cell::text(part.name(environment)),
                Cell::Number(share, percent(share)),
                interval.map_or(Cell::Missing, |(low, high)| {
                    Cell::text(format!("{} to {}", percent(low), percent(high)))
                }),
                Cell::short(Some(average(spent))),
                Cell::count(series.len() as u64),
            ]);
        }
    }
    if drawn.is_empty() {
        return None;
    }
    let title = format!("{}: what was executed", environment.label());
    let legend = Stage::path()
        .map(|stage| (stage.label().to_owned(), theme::of_stage(stage)))
        .chain(OTHERS.map(|(name, colour)| (name.to_owned(), colour)));
    Some(Figure {
        id: format!("executed-{}", environment.name()),
        svg: stacks(
            &Heading::new(&title, &selection.subtitle("% of all instructions")),
            &legend.collect::<Vec<_>>(),
            &drawn,
        ),
        title,
        note: "All instructions of the machine that receives, from the first frame to 100 ms after the last: in Xen the \
               hypervisor's and both domains'. Stages by self time, less what the probes cost; programs are all that \
               runs in user mode. What is not attributed is the rest: system calls, scheduler, calls that slept, kernel \
               threads, the idle loop, what the hypervisor does between the stages. Below 0 it says by how much stages overlap that one \
               domain's time was taken from."
            .to_owned(),
        table,
    })
}

fn budgets(selection: &Selection, scenario: Scenario) -> BTreeMap<u32, Budget> {
    let runs = selection.study.of(selection.condition(scenario));
    runs.filter_map(|run| Some((run.id.repetition, Budget::of(run)?)))
        .collect()
}

/// Each part's share in every repetition: nothing, where it had none.
fn parts(budgets: &BTreeMap<u32, Budget>) -> BTreeMap<Part, Series> {
    let shares = budgets.values().flat_map(|budget| budget.shares.keys());
    let mut parts: BTreeMap<Part, Series> = shares.map(|part| (*part, Series::new())).collect();
    for (part, series) in &mut parts {
        for (repetition, budget) in budgets {
            let share = budget.shares.get(part).copied();
            series.insert(*repetition, share.unwrap_or(0.0));
        }
    }
    parts
}
