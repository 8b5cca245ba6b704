// SPDX-License-Identifier: GPL-2.0

//! What a stage costs: so much a call, so much a wake-up, so much a frame, so much a byte.

use xcap_abi::stage::Stage;
use xcap_stats::{least_squares, Observation};

use crate::numbers::{percent, short};
use crate::own_cycles::{a_call, Floor};
use crate::repetitions::{level, Estimate};
use crate::report::selection::Selection;
use crate::study::{stage as line, Series};
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::run_id::{Domain, Environment};

/// What is fitted to a stage's self time a frame, in each repetition.
#[derive(Default)]
struct Model {
    a_call: Series,
    /// Of a stage that wakes who goes on with the frame, unless that runs already.
    a_wake_up: Series,
    a_frame: Series,
    a_byte: Series,
    /// Root mean square of what the model leaves, as a part of the mean.
    left: Series,
}

/// Of a run, for each frame that came to the stage.
#[derive(Clone, Copy)]
struct Observed {
    calls: f64,
    wake_ups: f64,
    size: f64,
    cycles: f64,
}

/// What a stage's cost is fitted to besides frames and bytes.
#[derive(Clone, Copy, PartialEq)]
enum Besides {
    Calls,
    WakeUps,
    /// A call is a frame: what is fixed can't be told from what a frame costs.
    Nothing,
}

/// Counts a frame that differ by less are all the same.
const ALIKE: f64 = 0.05;

/// The model of every stage of every machine.
pub fn cost_model(selection: &Selection) -> Table {
    let mut table = Table::new(&[
        "environment",
        "machine",
        "stage",
        "a call",
        "95 % (call)",
        "a wake-up",
        "95 % (wake-up)",
        "a frame",
        "95 % (frame)",
        "a byte",
        "95 % (byte)",
        "left by the model",
        "repetitions",
    ]);
    for environment in selection.study.environments() {
        for &domain in environment.domains() {
            for stage in Stage::path() {
                let model = Model::of(selection, environment, domain, stage);
                if let Some(model) = model.filter(|model| !model.a_frame.is_empty()) {
                    table.push(model.row(environment, domain, stage));
                }
            }
        }
    }
    table
}

impl Model {
    fn of(
        selection: &Selection,
        environment: Environment,
        domain: Domain,
        stage: Stage,
    ) -> Option<Self> {
        let buffer = selection.lossless().buffer;
        let runs = || {
            selection
                .study
                .runs
                .iter()
                .filter(|run| run.id.environment == environment)
                // A frame that is dropped half way isn't one for the stages after.
                .filter(|run| run.id.buffer == buffer)
        };
        let of = |run: &Run| Observed::of(run, domain, stage);
        let all: Vec<Observed> = runs().filter_map(of).collect();
        if all.is_empty() {
            return None;
        }
        let besides = Besides::of(&all);
        let mut model = Self::default();
        let repetitions: std::collections::BTreeSet<u32> =
            runs().map(|run| run.id.repetition).collect();
        for repetition in repetitions {
            let here = runs().filter(|run| run.id.repetition == repetition);
            model.fit(
                repetition,
                besides,
                &here.filter_map(of).collect::<Vec<_>>(),
            );
        }
        Some(model)
    }

    fn fit(&mut self, repetition: u32, besides: Besides, all: &[Observed]) {
        let fitted = match besides {
            Besides::Nothing => {
                let each = all.iter().map(|one| Observation {
                    x: [1.0, one.size],
                    y: one.cycles,
                });
                least_squares(&each.collect::<Vec<_>>()).map(|[frame, byte]| [0.0, frame, byte])
            }
            _ => {
                let each = all.iter().map(|one| Observation {
                    x: [besides.count(one), 1.0, one.size],
                    y: one.cycles,
                });
                least_squares(&each.collect::<Vec<_>>())
            }
        };
        let Some([each, frame, byte]) = fitted else {
            return;
        };
        let n = all.len() as f64;
        let mean = all.iter().map(|one| one.cycles).sum::<f64>() / n;
        let left = |one: &Observed| {
            let told = each * besides.count(one) + frame + byte * one.size;
            (one.cycles - told).powi(2)
        };
        let left = (all.iter().map(left).sum::<f64>() / n).sqrt() / mean;
        match besides {
            Besides::Calls => drop(self.a_call.insert(repetition, each)),
            Besides::WakeUps => drop(self.a_wake_up.insert(repetition, each)),
            Besides::Nothing => {}
        }
        self.a_frame.insert(repetition, frame);
        self.a_byte.insert(repetition, byte);
        self.left.insert(repetition, left);
    }

    fn row(&self, environment: Environment, domain: Domain, stage: Stage) -> Vec<Cell> {
        let mut row = vec![
            Cell::text(environment.label()),
            Cell::text(domain.name()),
            Cell::text(stage.word()),
        ];
        let each = [&self.a_call, &self.a_wake_up, &self.a_frame, &self.a_byte];
        row.extend(each.into_iter().flat_map(coefficient));
        let left = self.left.values().sum::<f64>() / self.left.len() as f64;
        row.push(Cell::Number(left, percent(left)));
        row.push(Cell::count(self.a_frame.len() as u64));
        row
    }
}

impl Observed {
    /// None, where no call has a self time.
    fn of(run: &Run, domain: Domain, stage: Stage) -> Option<Self> {
        let calls = line(run, domain, stage)?.count as f64;
        let frames = match stage {
            // What was dropped before is no frame to these.
            Stage::Recvmsg | Stage::CopyUser => run.frames.captured,
            _ => run.frames.at(domain),
        };
        let frames = frames as f64;
        let cycles = a_call(run, domain, stage.word(), Floor::Least)? * calls / frames;
        (cycles.is_finite() && calls > 0.0).then(|| Self {
            calls: calls / frames,
            wake_ups: wake_ups(run, domain, stage) / frames,
            size: f64::from(run.id.scenario.size),
            cycles,
        })
    }
}

/// How often the stage had somebody to wake: by what these did.
fn wake_ups(run: &Run, domain: Domain, stage: Stage) -> f64 {
    let woken = match stage {
        // The program slept in its call.
        Stage::Deliver => {
            line(run, domain, Stage::Recvmsg).map(|calls| calls.count - calls.self_count)
        }
        // The backend's thread copies what has come, and sleeps when there is no more.
        Stage::Netback => line(run, domain, Stage::CopyFlush).map(|rounds| rounds.count),
        _ => None,
    };
    woken.unwrap_or(0) as f64
}

impl Besides {
    fn of(all: &[Observed]) -> Self {
        let differ = |count: fn(&Observed) -> f64| {
            let (least, most) = all.iter().fold((f64::MAX, 0.0_f64), |(least, most), one| {
                (least.min(count(one)), most.max(count(one)))
            });
            most > least * (1.0 + ALIKE)
        };
        if differ(|one| one.calls) {
            Self::Calls
        } else if differ(|one| one.wake_ups) {
            Self::WakeUps
        } else {
            Self::Nothing
        }
    }

    fn count(self, observed: &Observed) -> f64 {
        match self {
            Self::Calls => observed.calls,
            Self::WakeUps => observed.wake_ups,
            Self::Nothing => 0.0,
        }
    }
}

/// A coefficient's mean over repetitions, and its interval.
fn coefficient(series: &Series) -> [Cell; 2] {
    let shown = |value: f64| match value.abs() < 10.0 {
        true => format!("{value:.2}").replace('-', "−"),
        false => short(value),
    };
    let mean = series.values().sum::<f64>() / series.len() as f64;
    let value = match series.is_empty() {
        true => Cell::Missing,
        false => Cell::Number(mean, shown(mean)),
    };
    let interval = level(series).ok().as_ref().map(Estimate::interval);
    let interval = interval.map_or(Cell::Missing, |(low, high)| {
        Cell::text(format!("{} to {}", shown(low), shown(high)))
    });
    [value, interval]
}
