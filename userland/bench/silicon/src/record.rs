// SPDX-License-Identifier: GPL-2.0

//! What is kept: results/silicon/silicon.json.

use crate::machine;
use crate::plan::Plan;
use crate::statistics::{Extra, LEVEL};
use crate::unit::{Callers, Returns};
use crate::variant::Variant;
use anyhow::{ensure, Result};
use serde::{Deserialize, Serialize};

/// All that was measured. Times are in ticks of the TSC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silicon {
    /// The processor's name, and whether it is a virtual machine's.
    pub cpu: String,
    pub is_virtual: bool,
    pub tsc_khz: u64,
    /// What the kernel that ran this does at returns, as it says itself.
    pub return_thunks_here: Option<String>,
    pub repetitions: u32,
    /// Calls in a repetition.
    pub calls: u64,
    /// Level of the intervals, per cent.
    pub level: f64,
    /// What a function that reads the clock twice takes, called in a loop: no probe that measures
    /// time is cheaper.
    pub floor_ticks: f64,
    pub rows: Vec<Row>,
    pub calibrated: Vec<Calibrated>,
    pub truth: Vec<Truth>,
    /// What could not be measured, and why.
    pub notes: Vec<String>,
}

/// What a hit of one variant costs in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `jump`, `call`, …: what the module installs; `floor`; `shape-…`: other mechanisms.
    pub variant: String,
    /// Callers above the probed function.
    pub depth: usize,
    /// `straight`, `loop`, `mixed`.
    pub callers: String,
    /// `hot` or `cold`.
    pub caches: String,
    /// `none`, `thunk`, `safe-ret`.
    pub return_thunks: String,
    /// CPUs that hit the probe at once.
    pub cpus: usize,
    /// A call of the chain without a probe, for each hit.
    pub unprobed_ticks: f64,
    /// What a hit adds to that: hot, of the cheapest repetitions; cold, the median.
    /// None where noise made it meaningless.
    pub extra_ticks: Option<f64>,
    /// Median over the repetitions, and its interval.
    pub median_ticks: f64,
    pub interval_low: f64,
    pub interval_high: f64,
    /// Hits made, and those that the variant counted; none for one that counts nothing.
    pub hits: u64,
    pub counted: Option<u64>,
    /// Beyond the unprobed chain, for each hit; none where the CPU's counters can't be read.
    pub mispredicts: Option<f64>,
    pub mispredicted_returns: Option<f64>,
    pub instructions: Option<f64>,
    pub cycles: Option<f64>,
}

/// What calibration says of a variant: measured in loops, as the module does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    pub variant: String,
    pub return_thunks: String,
    /// Ticks of a hit within its sample: of a function that takes longer than reading the clock.
    pub inside: f64,
    /// Ticks of a hit in all: of an empty function.
    pub whole: f64,
}

/// What is reported of a function whose length is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub variant: String,
    pub return_thunks: String,
    pub depth: usize,
    /// `leaf`: it alone is probed. `outer`: the outermost caller, the leaf being probed, too.
    pub function: String,
    /// What the leaf does: `empty`; `plain`, instructions that do nothing; `dependent`, each waits
    /// for the last, and the end runs beside what comes after; `fenced`, the same with nothing beside;
    /// `clocked`, as dependent, and the first waits for the clock.
    pub kind: String,
    /// How much of it: multiplications, or as many instructions as can be fetched meanwhile.
    pub work: usize,
    /// Ticks that it takes without a probe, with nothing beside it.
    pub true_ticks: f64,
    /// The mean of its samples, and that less the probes' own cost.
    pub mean: f64,
    pub corrected: f64,
    /// Within 2 ticks or 2 % of the truth.
    pub holds: bool,
}

/// How far from the truth a corrected mean may be.
pub const TOLERANCE_TICKS: f64 = 2.0;
pub const TOLERANCE_SHARE: f64 = 0.02;

impl Truth {
    /// What the report is wrong by.
    pub fn error(&self) -> f64 {
        self.corrected - self.true_ticks
    }

    pub(crate) fn holds(true_ticks: f64, corrected: f64) -> bool {
        (corrected - true_ticks).abs() <= TOLERANCE_TICKS.max(true_ticks * TOLERANCE_SHARE)
    }
}

impl Silicon {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let machine = machine::here()?;
        Ok(Self {
            cpu: machine.name(),
            is_virtual: machine.is_virtual,
            tsc_khz: machine::tsc_khz(),
            return_thunks_here: machine.returns,
            repetitions: plan.repetitions,
            calls: plan.calls,
            level: LEVEL,
            floor_ticks: f64::NAN,
            rows: Vec::new(),
            calibrated: Vec::new(),
            truth: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Says so where there was so much noise that most figures mean nothing.
    pub fn check_noise(&self) -> Result<()> {
        let hot: Vec<&Row> = self.rows.iter().filter(|row| row.caches == "hot").collect();
        let noise = hot.iter().filter(|row| row.is_noise()).count();
        ensure!(
            noise * 2 <= hot.len(),
            "{noise} of {} figures are noise, something else runs on this CPU: \
             try when it is idle, on another (--cpu), or with more --repetitions",
            hot.len()
        );
        Ok(())
    }

    /// How many corrected means are not true.
    pub fn wrong(&self) -> usize {
        self.truth.iter().filter(|truth| !truth.holds).count()
    }

    /// Rows of one CPU and of more that were measured together: the last ones.
    pub(crate) fn one_probe(&self) -> impl Iterator<Item = &Row> {
        let cold = self.rows.iter().rposition(|row| row.caches == "cold");
        self.rows.iter().skip(cold.map_or(0, |at| at + 1))
    }
}

/// Where a row was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub variant: Variant,
    /// Index in `DEPTHS`.
    pub depth: usize,
    pub callers: Callers,
    pub caches: &'static str,
    pub returns: Returns,
    pub cpus: usize,
}

impl Row {
    pub(crate) fn new(place: &Place, extra: &Extra, hits: u64, counted: Option<u64>) -> Self {
        let value = match place.caches {
            "cold" => extra.median,
            _ => extra.minimum,
        };
        Self {
            variant: place.variant.word().to_owned(),
            depth: crate::layout::DEPTHS[place.depth],
            callers: place.callers.word().to_owned(),
            caches: place.caches.to_owned(),
            return_thunks: place.returns.word().to_owned(),
            cpus: place.cpus,
            unprobed_ticks: extra.unprobed,
            extra_ticks: (!extra.is_noise).then_some(value),
            median_ticks: extra.median,
            interval_low: extra.low,
            interval_high: extra.high,
            hits,
            counted,
            mispredicts: None,
            mispredicted_returns: None,
            instructions: None,
            cycles: None,
        }
    }

    pub fn is_noise(&self) -> bool {
        self.extra_ticks.is_none()
    }
}
