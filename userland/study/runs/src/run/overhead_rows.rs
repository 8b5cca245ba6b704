// SPDX-License-Identifier: GPL-2.0

//! What was found of a capture with something that measures it: a row a load.

use std::collections::BTreeMap;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_machines::Lab;
use xcap_stats::Effect;

use super::knee::Knee;
use super::trial::{trial, Load};
use crate::run_id::Environment;
use crate::testbed::Emulator;

/// overhead.json
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Overhead {
    /// Version of the format of a run's files.
    pub format: u32,
    /// Frames of each trial, at least.
    pub frames: u64,
    /// So long frames come in each, at least: milliseconds by the receiver's clock.
    pub milliseconds: u64,
    /// Trials of each load.
    pub repetitions: u32,
    /// Decides their order.
    pub seed: u64,
    /// What the emulator is, and what its clock counts.
    pub lab: Option<Emulator>,
    pub rows: Vec<Row>,
}

/// A capture with something that measures it, under one load.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub environment: Environment,
    /// What measures.
    pub probe: String,
    /// Why it can't; then there are no figures.
    pub reason: Option<String>,
    /// Functions that it hooks in the machines that capture, by xcap's backend; of another tool, under its name.
    pub hooked: BTreeMap<String, u64>,
    /// Bytes of a frame.
    pub size: u16,
    /// Frames a second, by the receiver's clock.
    pub offered_per_second: f64,
    /// Frames that were offered, all trials together.
    pub offered: u64,
    /// Frames that the card had no room for.
    pub lost_on_wire: u64,
    pub captured: u64,
    /// Instructions of the whole receiving machine for each frame that was captured, less what it executes when
    /// nothing comes: of each trial.
    pub instructions_per_frame: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// By how much it exceeds the mean of the capture that nothing measures, in per cent.
    pub more_percent: Option<f64>,
    /// Its 95 % interval: Welch's, of the trials' logarithms; none of one trial.
    pub more_low: Option<f64>,
    pub more_high: Option<f64>,
    /// The greatest rate without a loss.
    pub knee: Option<Knee>,
}

impl Row {
    pub fn of(environment: Environment, probe: String, load: &Load) -> Self {
        Self {
            size: load.size,
            offered_per_second: 1e9 / load.gap_ns as f64,
            reason: None,
            ..Self::unable(environment, probe, String::new())
        }
    }

    /// Of what can't measure, and why.
    pub fn unable(environment: Environment, probe: String, reason: String) -> Self {
        Self {
            environment,
            probe,
            reason: Some(reason),
            hooked: BTreeMap::new(),
            size: 0,
            offered_per_second: 0.0,
            offered: 0,
            lost_on_wire: 0,
            captured: 0,
            instructions_per_frame: Vec::new(),
            mean: None,
            more_percent: None,
            more_low: None,
            more_high: None,
            knee: None,
        }
    }

    pub fn add(&mut self, lab: &Lab, load: Load, idle: f64) -> Result<()> {
        let trial = trial(lab, load)?;
        let wire = trial.wire;
        let spent = wire.beyond(idle);
        let captured = trial.captured.captured;
        self.offered += wire.offered;
        self.lost_on_wire += wire.lost;
        self.captured += captured;
        if captured > 0 {
            self.instructions_per_frame.push(spent / captured as f64);
        }
        Ok(())
    }

    /// What it hooks, in words.
    pub fn hooked_each_way(&self) -> String {
        let each = self.hooked.iter();
        let words: Vec<String> = each.map(|(way, count)| format!("{way} {count}")).collect();
        words.join(", ")
    }

    pub fn average(&mut self) {
        self.mean = mean(&self.instructions_per_frame);
    }

    /// Compares it with the same load's trials where nothing measures.
    pub fn compare(&mut self, nothing: &[f64]) {
        self.average();
        let trials = &self.instructions_per_frame;
        let both = self.mean.zip(mean(nothing));
        self.more_percent = both.map(|(mean, nothing)| (mean / nothing - 1.0) * 100.0);
        let logarithms = |trials: &[f64]| -> Vec<f64> { trials.iter().map(|of| of.ln()).collect() };
        let effect = Effect::of_difference(&logarithms(trials), &logarithms(nothing));
        let interval = effect.ok().map(|effect| effect.interval(95.0));
        let percent = |logarithm: f64| (logarithm.exp() - 1.0) * 100.0;
        self.more_low = interval.map(|(low, _)| percent(low));
        self.more_high = interval.map(|(_, high)| percent(high));
    }
}

fn mean(trials: &[f64]) -> Option<f64> {
    (!trials.is_empty()).then(|| trials.iter().sum::<f64>() / trials.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(trials: &[f64]) -> Row {
        let mut row = Row::unable(Environment::Native, "xcap, auto".into(), String::new());
        row.instructions_per_frame = trials.into();
        row
    }

    #[test]
    fn trials_are_compared_with_their_spread() {
        let mut row = row(&[109.0, 110.0, 111.0]);
        row.compare(&[99.0, 100.0, 101.0]);
        let (low, high) = (row.more_low.unwrap(), row.more_high.unwrap());
        assert!((row.more_percent.unwrap() - 10.0).abs() < 1e-9);
        // Welch by hand, of logarithms: a standard error of 0.78 % and 3.97 degrees of freedom.
        assert!(
            (low - 7.64).abs() < 0.1 && (high - 12.42).abs() < 0.1,
            "{low} to {high}"
        );
    }

    #[test]
    fn one_trial_has_no_interval() {
        let mut row = row(&[110.0]);
        row.compare(&[100.0]);
        assert!(row.more_percent.is_some());
        assert_eq!((row.more_low, row.more_high), (None, None));
    }
}
