// SPDX-License-Identifier: GPL-2.0

//! What a stage costs: so much a call, so much a frame, so much a byte.

use xcap_abi::stage::Stage;
use xcap_stats::{least_squares, Observation};

use crate::numbers::{percent, short};
use crate::own_cycles::{named, Floor};
use crate::repetitions::{level, Estimate};
use crate::report::selection::Selection;
use crate::study::{calls, Series};
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::run_id::{Domain, Environment};

/// What is fitted to a stage's self time a frame, in each repetition.
#[derive(Default)]
struct Model {
    a_call: Series,
    a_frame: Series,
    a_byte: Series,
    /// Root mean square of what the model leaves, as a part of the mean.
    left: Series,
    /// A call is a frame: what is fixed can't be told from what a frame costs.
    by_frame: bool,
}

/// Calls a frame that differ by less are all the same.
const ALIKE: f64 = 0.05;

/// The model of every stage of every machine.
pub fn cost_model(selection: &Selection) -> Table {
    let mut table = Table::new(&[
        "environment",
        "machine",
        "stage",
        "a call",
        "95 % (call)",
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
        let per_frame = |run: &Run| {
            let frames = run.frames.at(domain) as f64;
            let cycles = named(run, domain, stage.word(), Floor::Least)? / frames;
            let calls = calls(run, domain, stage)? / frames;
            let size = f64::from(run.id.scenario.size);
            (cycles.is_finite() && calls > 0.0).then_some((calls, size, cycles))
        };
        let all: Vec<(f64, f64, f64)> = runs().filter_map(per_frame).collect();
        let (least, most) = all
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), (calls, ..)| {
                (least.min(*calls), most.max(*calls))
            });
        if all.is_empty() {
            return None;
        }
        let mut model = Self {
            by_frame: most <= least * (1.0 + ALIKE),
            ..Self::default()
        };
        let repetitions: std::collections::BTreeSet<u32> =
            runs().map(|run| run.id.repetition).collect();
        for repetition in repetitions {
            let here = runs().filter(|run| run.id.repetition == repetition);
            model.fit(repetition, &here.filter_map(per_frame).collect::<Vec<_>>());
        }
        Some(model)
    }

    fn fit(&mut self, repetition: u32, observed: &[(f64, f64, f64)]) {
        let fitted = match self.by_frame {
            true => {
                let each = observed
                    .iter()
                    .map(|&(_, size, y)| Observation { x: [1.0, size], y });
                least_squares(&each.collect::<Vec<_>>()).map(|[frame, byte]| [0.0, frame, byte])
            }
            false => {
                let each = observed.iter().map(|&(calls, size, y)| Observation {
                    x: [calls, 1.0, size],
                    y,
                });
                least_squares(&each.collect::<Vec<_>>())
            }
        };
        let Some([call, frame, byte]) = fitted else {
            return;
        };
        let n = observed.len() as f64;
        let mean = observed.iter().map(|(.., y)| y).sum::<f64>() / n;
        let left =
            |&(calls, size, y): &(f64, f64, f64)| (y - call * calls - frame - byte * size).powi(2);
        let left = (observed.iter().map(left).sum::<f64>() / n).sqrt() / mean;
        if !self.by_frame {
            self.a_call.insert(repetition, call);
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
        for series in [&self.a_call, &self.a_frame, &self.a_byte] {
            row.extend(coefficient(series));
        }
        let left = self.left.values().sum::<f64>() / self.left.len() as f64;
        row.push(Cell::Number(left, percent(left)));
        row.push(Cell::count(self.a_frame.len() as u64));
        row
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
        true => Cell::text("in the frame's"),
        false => Cell::Number(mean, shown(mean)),
    };
    let interval = level(series).ok().as_ref().map(Estimate::interval);
    let interval = interval.map_or(Cell::Missing, |(low, high)| {
        Cell::text(format!("{} to {}", shown(low), shown(high)))
    });
    [value, interval]
}
