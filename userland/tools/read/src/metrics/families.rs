// SPDX-License-Identifier: GPL-2.0

//! Which metrics there are.

use xcap_abi::state::State;
use xcap_stats::{Stage, Stats};

use crate::metrics::exposition::{Family, Kind, Sample};
use crate::metrics::steps::Steps;

type Labels = Vec<(&'static str, String)>;

/// All of a reading; without one, that there is none.
pub fn of(stats: Option<&Stats>, steps: Steps) -> Vec<Family> {
    let help = "1: xcap was there to be read.";
    let up = u8::from(stats.is_some());
    let mut families = vec![gauge("xcap_up", None, help, Some(up))];
    if let Some(stats) = stats {
        families.extend(machine(stats));
        families.extend(stages(stats, steps));
    }
    families
}

fn machine(stats: &Stats) -> Vec<Family> {
    let flag = |name, help, value: Option<bool>| gauge(name, None, help, value.map(u8::from));
    let tsc = stats.tsc.as_ref();
    vec![
        Family {
            name: "xcap",
            kind: Kind::Info,
            unit: None,
            help: "The kernel that is measured, and what it is to Xen.",
            samples: vec![one(vec![("kernel", stats.kernel.clone()), ("role", stats.role.clone())], 1)],
        },
        gauge(
            "xcap_tsc_hertz",
            Some("hertz"),
            "Cycles of the TSC in a second: what cycles are to be divided by for seconds.",
            Some(u128::from(stats.tsc_khz) * 1000),
        ),
        flag(
            "xcap_tsc_trapped",
            "1: a hypervisor is asked for each reading of the TSC, which all cycles are spoilt by.",
            tsc.map(|tsc| tsc.trapped),
        ),
        flag(
            "xcap_tsc_invariant",
            "1: the TSC ticks at one rate, whatever the processor's frequency.",
            tsc.map(|tsc| tsc.invariant),
        ),
        flag("xcap_recording", "1: calls are counted.", stats.recording),
        Family {
            name: "xcap_probe_cost_cycles",
            kind: Kind::Gauge,
            unit: Some("cycles"),
            help: "Cycles of the TSC that a hit costs on an empty function, inside its sample and outside.",
            samples: stats.costs.iter().filter(|cost| cost.samples > 0).flat_map(|cost| {
                [("inside", cost.inside), ("outside", cost.outside)].map(|(part, sum)| Sample {
                    suffix: "",
                    labels: vec![
                        ("backend", cost.backend.clone()),
                        ("cache", cost.cache.clone()),
                        ("part", part.into()),
                    ],
                    value: (sum as f64 / cost.samples as f64).to_string(),
                })
            }).collect(),
        },
    ]
}

fn stages(stats: &Stats, steps: Steps) -> Vec<Family> {
    let counter = |name, unit, help, value: fn(&Stage) -> u128| Family {
        name,
        kind: Kind::Counter,
        unit,
        help,
        samples: stats
            .stages
            .iter()
            .map(|stage| one(labels(stage), value(stage)))
            .collect(),
    };
    let cycles = Some("cycles");
    vec![
        Family {
            name: "xcap_stage",
            kind: Kind::Info,
            unit: None,
            help: "The function that is the stage, how it is hooked, and why it may not be.",
            samples: stats.stages.iter().map(|stage| one(identity(stage), 1)).collect(),
        },
        Family {
            name: "xcap_stage_armed",
            kind: Kind::Gauge,
            unit: None,
            help: "1: the stage's calls are timed.",
            samples: stats.stages.iter().map(|stage| {
                let armed = stage.state == State::Armed.word();
                one(labels(stage), u8::from(armed))
            }).collect(),
        },
        Family {
            name: "xcap_call_cycles",
            kind: Kind::Histogram,
            unit: cycles,
            help: "Cycles of the TSC from a call of the stage's function to its return.",
            samples: stats.stages.iter().flat_map(|stage| histogram(stage, steps)).collect(),
        },
        counter(
            "xcap_self_cycles",
            cycles,
            "Cycles of the TSC less those of nested stages and interrupts, of calls with a self time.",
            |stage| stage.self_sum,
        ),
        counter(
            "xcap_self_calls",
            None,
            "Calls with a self time: during which no other task ran on their CPU.",
            |stage| stage.self_count.into(),
        ),
        counter(
            "xcap_nested_cost_cycles",
            cycles,
            "Cycles of the TSC that the probes nested in calls with a self time cost.",
            |stage| stage.nested_cost,
        ),
        counter("xcap_entries", None, "Calls that were entered.", |stage| stage.entries.into()),
        Family {
            name: "xcap_missed_calls",
            kind: Kind::Counter,
            unit: None,
            help: "Calls that were entered and yielded no sample, by cause.",
            samples: stats.stages.iter().flat_map(missed).collect(),
        },
        Family {
            name: "xcap_in_flight_calls",
            kind: Kind::Gauge,
            unit: None,
            help: "Calls that were entered and have not returned.",
            samples: stats.stages.iter().map(|stage| one(labels(stage), stage.in_flight)).collect(),
        },
        counter(
            "xcap_migrated_calls",
            None,
            "Calls that ended on another CPU than they began on.",
            |stage| stage.migrated.into(),
        ),
        counter(
            "xcap_switched_calls",
            None,
            "Calls during which their CPU switched to another task.",
            |stage| stage.switched.into(),
        ),
        Family {
            name: "xcap_work",
            kind: Kind::Counter,
            unit: None,
            help: "What the calls dealt with: frames that were polled, grants.",
            samples: stats.stages.iter().filter_map(|stage| {
                let unit = stage.work_unit.clone()?;
                let mut labels = labels(stage);
                labels.push(("of", unit));
                Some(one(labels, stage.work))
            }).collect(),
        },
    ]
}

fn gauge(
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    value: Option<impl ToString>,
) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        unit,
        help,
        samples: value
            .into_iter()
            .map(|value| one(Vec::new(), value))
            .collect(),
    }
}

fn one(labels: Labels, value: impl ToString) -> Sample {
    Sample {
        suffix: "",
        labels,
        value: value.to_string(),
    }
}

/// What tells a stage from others: names are unique.
fn labels(stage: &Stage) -> Labels {
    vec![("stage", stage.stage.clone())]
}

/// The same labels for all stages: what is not known is empty.
fn identity(stage: &Stage) -> Labels {
    let mut labels = labels(stage);
    labels.extend([
        ("function", stage.function.clone().unwrap_or_default()),
        ("backend", stage.backend.clone().unwrap_or_default()),
        ("state", stage.state.clone()),
        ("reason", stage.reason.clone().unwrap_or_default()),
    ]);
    labels
}

fn missed(stage: &Stage) -> impl Iterator<Item = Sample> + '_ {
    [
        ("pool", stage.missed_pool),
        ("busy", stage.missed_busy),
        ("straddled", stage.missed_straddled),
        ("negative", stage.missed_negative),
    ]
    .into_iter()
    .map(|(cause, calls)| {
        let mut labels = labels(stage);
        labels.push(("cause", cause.into()));
        one(labels, calls)
    })
}

/// Buckets that count what is in the ones before, too; then how many there are in all, and their sum.
fn histogram(stage: &Stage, steps: Steps) -> Vec<Sample> {
    let total = stage.histogram.total();
    let bounds = steps.cumulative(&stage.histogram).into_iter();
    let bounds = bounds.map(|(bound, count)| (format!("{bound}.0"), count));
    let mut samples: Vec<Sample> = bounds
        .chain([("+Inf".to_owned(), total)])
        .map(|(bound, count)| {
            let mut labels = labels(stage);
            labels.push(("le", bound));
            Sample {
                suffix: "_bucket",
                labels,
                value: count.to_string(),
            }
        })
        .collect();
    for (suffix, value) in [("_count", total), ("_sum", stage.sum)] {
        samples.push(Sample {
            suffix,
            labels: labels(stage),
            value: value.to_string(),
        });
    }
    samples
}
