// SPDX-License-Identifier: GPL-2.0

//! What a reader must know before believing the figures, and what mends it.

use std::fmt;

use xcap_abi::paths::{CONTROL, PROBES};
use xcap_abi::role::Role;

use crate::correction::{cost_of, CostChoice};
use crate::quiet::quiet;
use crate::stats::{Cost, Stage, Stats};

/// Something that touches the figures shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    TrappedTsc { rdtsc_cycles: u64 },
    VariantTsc { in_guest: bool },
    UnknownTsc,
    NotRecording,
    PoolEmpty { missed: u128, stages: Vec<String> },
    HandlerBusy { missed: u128, stages: Vec<String> },
    Negative { missed: u128, stages: Vec<String> },
    Straddled { missed: u128, stages: Vec<String> },
    Migrated { calls: u128, stages: Vec<String> },
    Approximate { stages: Vec<String> },
    Uncorrected { backends: Vec<String> },
    DependsOnCallers { costs: Vec<String> },
    Quiet { stages: Vec<String> },
    Scoped { away: u128, scopes: Vec<String> },
}

impl Warning {
    /// All that holds for `stats`, the gravest first.
    pub fn of(stats: &Stats, choice: CostChoice) -> Vec<Self> {
        let mut warnings = clock(stats);
        if stats.recording == Some(false) && !stats.is_difference {
            warnings.push(Self::NotRecording);
        }
        warnings.extend(loss(
            stats,
            |stage| stage.missed_pool,
            |missed, stages| Self::PoolEmpty { missed, stages },
        ));
        warnings.extend(loss(
            stats,
            |stage| stage.missed_busy,
            |missed, stages| Self::HandlerBusy { missed, stages },
        ));
        warnings.extend(loss(
            stats,
            |stage| stage.missed_negative,
            |missed, stages| Self::Negative { missed, stages },
        ));
        warnings.extend(loss(
            stats,
            |stage| stage.missed_straddled,
            |missed, stages| Self::Straddled { missed, stages },
        ));
        warnings.extend(loss(
            stats,
            |stage| stage.migrated,
            |calls, stages| Self::Migrated { calls, stages },
        ));
        let stages = names(stats, |stage| !stage.exact);
        if !stages.is_empty() {
            warnings.push(Self::Approximate { stages });
        }
        let stages = quiet(stats);
        if !stages.is_empty() {
            warnings.push(Self::Quiet { stages });
        }
        warnings.extend(scoped(stats));
        let backends = uncorrected(stats, choice);
        if !backends.is_empty() {
            warnings.push(Self::Uncorrected { backends });
        }
        let costs = by_callers(stats, choice);
        if !costs.is_empty() {
            warnings.push(Self::DependsOnCallers { costs });
        }
        warnings
    }
}

fn clock(stats: &Stats) -> Vec<Warning> {
    let Some(tsc) = &stats.tsc else {
        return vec![Warning::UnknownTsc];
    };
    let mut warnings = Vec::new();
    if tsc.trapped {
        let rdtsc_cycles = tsc.rdtsc_cycles;
        warnings.push(Warning::TrappedTsc { rdtsc_cycles });
    }
    if !tsc.invariant {
        let in_guest = stats.role != Role::Bare.word();
        warnings.push(Warning::VariantTsc { in_guest });
    }
    warnings
}

fn names(stats: &Stats, concerns: impl Fn(&Stage) -> bool) -> Vec<String> {
    let concerned = stats.stages.iter().filter(|stage| concerns(stage));
    concerned.map(|stage| stage.stage.clone()).collect()
}

/// A warning of the calls that `figure` counts, if there are any.
fn loss(
    stats: &Stats,
    figure: impl Fn(&Stage) -> u64,
    warning: impl FnOnce(u128, Vec<String>) -> Warning,
) -> Option<Warning> {
    let stages = names(stats, |stage| figure(stage) > 0);
    let counts = stats.stages.iter().map(|stage| u128::from(figure(stage)));
    (!stages.is_empty()).then(|| warning(counts.sum(), stages))
}

/// Stages that don't count everybody's calls.
fn scoped(stats: &Stats) -> Option<Warning> {
    let stages = stats.stages.iter();
    let concerned: Vec<_> = stages.filter(|stage| stage.scope.is_some()).collect();
    let scopes = concerned
        .iter()
        .filter_map(|stage| Some(format!("{}: {}", stage.stage, stage.scope.as_ref()?)));
    let mut scopes: Vec<_> = scopes.collect();
    scopes.dedup();
    let away = concerned
        .iter()
        .map(|stage| u128::from(stage.out_of_scope))
        .sum();
    (!scopes.is_empty()).then_some(Warning::Scoped { away, scopes })
}

/// Backends whose stages have samples but no measured cost, where one was asked for.
fn uncorrected(stats: &Stats, choice: CostChoice) -> Vec<String> {
    if choice == CostChoice::None {
        return Vec::new();
    }
    let mut backends: Vec<String> = stats
        .stages
        .iter()
        .filter(|stage| stage.count > 0 && cost_of(stats, stage, choice).is_none())
        .filter_map(|stage| stage.backend.clone())
        .collect();
    backends.sort();
    backends.dedup();
    backends
}

/// Backends with samples of which a hit costs other than calibrated where the function is called more deeply: more than
/// calibration's own batches differ.
fn by_callers(stats: &Stats, choice: CostChoice) -> Vec<String> {
    let mut costs: Vec<String> = stats
        .stages
        .iter()
        .filter(|stage| stage.count > 0)
        .filter_map(|stage| {
            let cost = cost_of(stats, stage, choice)?;
            let (least, most) = cost.interval()?;
            let alike = stats.costs.iter().filter(|other| other.is_like(cost));
            let others = alike
                .filter_map(Cost::interval)
                .filter(|(low, high)| *low > most || *high < least);
            let farthest = others
                .map(|(low, _)| low)
                .max_by(|a, b| (a - least).abs().total_cmp(&(b - least).abs()))?;
            Some(format!(
                "{}: {least:.0} cycles, {farthest:.0} under many callers",
                cost.backend
            ))
        })
        .collect();
    costs.sort();
    costs.dedup();
    costs
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let list = |stages: &[String]| stages.join(", ");
        match self {
            Self::TrappedTsc { rdtsc_cycles } => write!(
                f,
                "Xen traps every read of the TSC ({rdtsc_cycles} cycles each), and all figures \
                 hold that cost: set tsc_mode=\"native\" in the domain's configuration and \
                 start it again"
            ),
            Self::VariantTsc { in_guest: true } => write!(
                f,
                "the TSC is not invariant, so cycles may differ in length: set \
                 tsc_mode=\"native\" in the domain's configuration and boot with tsc=reliable"
            ),
            Self::VariantTsc { in_guest: false } => write!(
                f,
                "the TSC is not invariant (an emulated one never is), so cycles may differ in \
                 length: fix the CPU's frequency and keep it out of deep sleep (cpuidle.off=1)"
            ),
            Self::UnknownTsc => write!(
                f,
                "the file says nothing of the TSC (no header line `# tsc`): it may be trapped \
                 or unstable"
            ),
            Self::NotRecording => write!(f, "not recording: echo start > {CONTROL}"),
            Self::PoolEmpty { missed, stages } => write!(
                f,
                "{missed} calls missed because all probe instances were in use ({}): a greater \
                 maxactive or another backend (fprobe, direct) loses none",
                list(stages)
            ),
            Self::HandlerBusy { missed, stages } => write!(
                f,
                "{missed} calls missed because they hit inside another probe's handler ({}): \
                 the backends fprobe and direct lose none",
                list(stages)
            ),
            Self::Negative { missed, stages } => write!(
                f,
                "{missed} calls missed because the TSC ran backwards ({}): the CPUs' counters \
                 are not in step, pin the work to one CPU",
                list(stages)
            ),
            Self::Straddled { missed, stages } => write!(
                f,
                "{missed} calls left out because they straddled start, stop or reset ({})",
                list(stages)
            ),
            Self::Migrated { calls, stages } => write!(
                f,
                "{calls} calls ended on another CPU than they began on ({}): they are in the \
                 mean, but have no self time",
                list(stages)
            ),
            Self::Approximate { stages } => write!(
                f,
                "approximate, as samples came in while it was read ({}): echo stop > {CONTROL}, \
                 then read again",
                list(stages)
            ),
            Self::Quiet { stages } => write!(
                f,
                "no call though frames flow ({}): this machine does it by a function that is not \
                 timed, or not at all; {PROBES} names those that are, and echo add FUNCTION > \
                 {CONTROL} times another",
                list(stages)
            ),
            Self::Scoped { away, scopes } => write!(
                f,
                "only what these caused counts ({}); {away} calls of others were turned away: \
                 echo only all > {CONTROL} counts everybody's",
                list(scopes)
            ),
            Self::DependsOnCallers { costs } => write!(
                f,
                "what a hit costs depends on how deep the function is called ({}): corrected \
                 means are as much less certain, and those of stages around it hold the difference",
                list(costs)
            ),
            Self::Uncorrected { backends } => write!(
                f,
                "uncorrected: the cost of the probes themselves is not known for {} (no header \
                 line `# cost`)",
                list(backends)
            ),
        }
    }
}
