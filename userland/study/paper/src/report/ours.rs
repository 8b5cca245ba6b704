// SPDX-License-Identifier: GPL-2.0

//! Figures that the paper hasn't: per frame, self time, distributions, native, losses.

use xcap_abi::stage::Stage;

use super::selection::{buffer_words, Selection};
use crate::figure::{
    distributions, rows, stacks, theme, Distribution, Figure, Group, Heading, Row, Scale, Stack,
};
use crate::histogram::{modes, tail};
use crate::numbers::{percent, short, whole};
use crate::study::{Condition, Pooled};
use crate::tables::{Cell, Table};
use xcap_study::run_id::{Buffer, Domain, Environment};

/// Stages that a machine had calls of, in any scenario.
fn stages_of(
    selection: &Selection,
    domain: Domain,
    among: impl IntoIterator<Item = Stage>,
) -> Vec<Stage> {
    let called = |&stage: &Stage| {
        let pooled = |&scenario: &_| selection.pooled(scenario, domain, stage);
        selection
            .scenarios
            .iter()
            .filter_map(pooled)
            .any(|pooled| pooled.moments.count > 0)
    };
    among.into_iter().filter(called).collect()
}

/// Cost of each stage for each frame that came to the machine.
pub fn per_frame(selection: &Selection, domain: Domain) -> Figure {
    let mut table = Table::new(&[
        "scenario",
        "stage",
        "cycles a frame",
        "self, a frame",
        "calls a frame",
        "work a call",
        "unit",
        "cycles a unit",
    ]);
    let mut groups = Vec::new();
    for stage in stages_of(selection, domain, Stage::path()) {
        let mut group = Group {
            label: stage.label().to_owned(),
            rows: Vec::new(),
        };
        for &scenario in &selection.scenarios {
            let pooled = selection.pooled(scenario, domain, stage);
            group.rows.push(Row {
                value: pooled.as_ref().and_then(Pooled::per_frame),
                half: None,
                colour: theme::of_scenario(scenario),
            });
            let Some(pooled) = pooled else { continue };
            let calls = pooled.moments.count as f64;
            let work = (pooled.work > 0).then_some(pooled.work as f64);
            table.push(vec![
                Cell::text(scenario.to_string()),
                Cell::text(stage.word()),
                Cell::rounded(pooled.per_frame()),
                Cell::rounded(pooled.self_per_frame()),
                ratio_cell((pooled.frames > 0).then(|| calls / pooled.frames as f64)),
                ratio_cell(work.map(|work| work / calls)),
                Cell::text(pooled.work_unit.clone().unwrap_or_else(|| "–".into())),
                Cell::rounded(work.map(|work| pooled.moments.sum as f64 / work)),
            ]);
        }
        groups.push(group);
    }
    let legend = scenario_legend(selection);
    let title = format!("{domain}: cycles a frame");
    let subtitle = selection.subtitle(&format!("log., {}", buffer_words(selection.buffer)));
    Figure {
        id: format!("per-frame-{domain}"),
        svg: rows(&heading(&title, &subtitle), &legend, &groups, Scale::Logarithmic),
        title,
        note: "All cycles spent in a stage, divided by the frames that came to this machine. Stages are \
               nested (softirq holds NIC driver holds bridge holds netback), so rows don't add up; the next \
               figures take the nested ones out."
            .into(),
        table,
    }
}

fn ratio_cell(value: Option<f64>) -> Cell {
    value.map_or(Cell::Missing, |value| {
        Cell::Number(value, format!("{value:.2}"))
    })
}

fn heading<'a>(title: &'a str, subtitle: &'a str) -> Heading<'a> {
    Heading { title, subtitle }
}

fn scenario_legend(selection: &Selection) -> Vec<(String, plotters::style::RGBColor)> {
    let one = |&scenario: &xcap_study::scenario::Scenario| {
        (scenario.to_string(), theme::of_scenario(scenario))
    };
    selection.scenarios.iter().map(one).collect()
}

/// Self time of each stage, as one stacked bar a scenario.
pub fn self_time(selection: &Selection, environment: Environment, domain: Domain) -> Figure {
    let selection = selection.on(environment);
    let stages = stages_of(&selection, domain, Stage::ALL);
    let mut table = Table::new(&["scenario", "stage", "self cycles a frame", "share"]);
    let mut drawn = Vec::new();
    for &scenario in &selection.scenarios {
        let each: Vec<(Stage, f64)> = stages
            .iter()
            .map(|&stage| {
                let pooled = selection.pooled(scenario, domain, stage);
                (
                    stage,
                    pooled
                        .and_then(|pooled| pooled.self_per_frame())
                        .unwrap_or(0.0),
                )
            })
            .collect();
        let total: f64 = each.iter().map(|(_, cycles)| cycles).sum();
        let mut parts: Vec<_> = each
            .iter()
            .filter(|(stage, _)| stage.is_on_path())
            .map(|&(stage, cycles)| (cycles, theme::of_stage(stage)))
            .collect();
        let others: f64 = each
            .iter()
            .filter(|(stage, _)| !stage.is_on_path())
            .map(|(_, c)| c)
            .sum();
        parts.push((others, theme::GREY));
        drawn.push(Stack {
            label: scenario.to_string(),
            end: format!("{} a frame", short(total)),
            parts,
        });
        for (stage, cycles) in each {
            table.push(vec![
                Cell::text(scenario.to_string()),
                Cell::text(stage.word()),
                Cell::rounded(Some(cycles)),
                Cell::share((total > 0.0).then(|| cycles / total)),
            ]);
        }
    }
    let mut legend: Vec<_> = stages
        .iter()
        .filter(|stage| stage.is_on_path())
        .map(|&stage| (stage.label().to_owned(), theme::of_stage(stage)))
        .collect();
    legend.push(("other interrupts".into(), theme::GREY));
    let place = if environment.is_xen() {
        domain.name()
    } else {
        "native"
    };
    let title = format!("{place}: self time of each stage");
    let subtitle = selection.subtitle(&format!(
        "cycles a frame, {}",
        buffer_words(selection.buffer)
    ));
    Figure {
        id: format!("self-{}-{domain}", environment.name()),
        svg: stacks(&heading(&title, &subtitle), &legend, &drawn),
        title,
        note: "Each sample less the stages and interrupts nested in it, so the parts add up to what capturing \
               one frame costs on this machine. Calls that slept are left out of self time; “other \
               interrupts” is what the kernel's interrupt and softirq entry spend outside of the path's stages."
            .into(),
        table,
    }
}

/// How the samples of a stage are spread.
pub fn distribution(selection: &Selection, domain: Domain, stage: Stage) -> Option<Figure> {
    let pooled: Vec<_> = selection
        .scenarios
        .iter()
        .filter_map(|&scenario| Some((scenario, selection.pooled(scenario, domain, stage)?)))
        .filter(|(_, pooled)| pooled.moments.count > 0)
        .collect();
    if pooled.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        "scenario", "calls", "min", "p50", "p90", "p99", "p99.9", "max", "modes", "modes at",
    ]);
    let mut panels = Vec::new();
    for (scenario, pooled) in &pooled {
        let found = modes(&pooled.histogram);
        let at: Vec<String> = found
            .iter()
            .map(|mode| format!("{} ({})", short(mode.at), percent(mode.share)))
            .collect();
        let quantile = |share| {
            let quantile = pooled.histogram.quantile(share, pooled.min, pooled.max);
            Cell::rounded(quantile.map(|quantile| quantile.value as f64))
        };
        table.push(vec![
            Cell::text(scenario.to_string()),
            Cell::count(pooled.moments.count),
            Cell::rounded(pooled.min.map(|min| min as f64)),
            quantile(0.5),
            quantile(0.9),
            quantile(0.99),
            quantile(0.999),
            Cell::rounded(pooled.max.map(|max| max as f64)),
            Cell::count(found.len() as u64),
            Cell::text(at.join(", ")),
        ]);
        panels.push(Distribution {
            label: scenario.to_string(),
            end: format!("{} calls", whole(pooled.moments.count)),
            histogram: &pooled.histogram,
            mean: pooled.mean(),
            colour: theme::of_scenario(*scenario),
        });
    }
    let title = format!("{domain}: distribution of {}", stage.label());
    let subtitle = selection.subtitle("calls by cycles, log.");
    Some(Figure {
        id: format!("distribution-{domain}-{}", stage.word()),
        svg: distributions(&heading(&title, &subtitle), &panels),
        title,
        note: "Share of calls by their length; each panel is as high as its own peak. The upright line is the mean.".into(),
        table,
    })
}

/// Native beside Xen: one figure a scenario.
pub fn native_beside_xen(selection: &Selection) -> Vec<Figure> {
    let native = selection.on(Environment::Native);
    let figure = |&scenario: &xcap_study::scenario::Scenario| {
        let sides = [
            (&native, Domain::Bare),
            (selection, Domain::Dom0),
            (selection, Domain::DomU),
        ];
        let mut table = Table::new(&["stage", "native", "dom0", "domU", "Xen ÷ native"]);
        let mut groups = Vec::new();
        for stage in Stage::path() {
            let values = sides.map(|(selection, domain)| {
                let pooled = selection.pooled(scenario, domain, stage)?;
                pooled.per_frame().filter(|_| pooled.moments.count > 0)
            });
            if values.iter().all(Option::is_none) {
                continue;
            }
            let xen: f64 = values[1..].iter().flatten().sum();
            let mut row = vec![Cell::text(stage.word())];
            row.extend(values.map(Cell::rounded));
            row.push(Cell::ratio(
                values[0]
                    .filter(|native| *native > 0.0 && xen > 0.0)
                    .map(|native| xen / native),
            ));
            table.push(row);
            groups.push(Group {
                label: stage.label().to_owned(),
                rows: sides
                    .iter()
                    .zip(values)
                    .filter(|(_, value)| value.is_some())
                    .map(|((_, domain), value)| Row {
                        value,
                        half: None,
                        colour: theme::of_domain(*domain),
                    })
                    .collect(),
            });
        }
        let legend = [
            ("native", Domain::Bare),
            ("dom0", Domain::Dom0),
            ("domU", Domain::DomU),
        ]
        .map(|(name, domain)| (name.to_owned(), theme::of_domain(domain)));
        let title = format!(
            "{scenario}: native beside {}",
            selection.environment.label()
        );
        let subtitle = selection.world_subtitle(&format!(
            "cycles a frame, log., {}",
            buffer_words(selection.buffer)
        ));
        Figure {
            id: format!("native-{scenario}"),
            svg: rows(&heading(&title, &subtitle), &legend, &groups, Scale::Logarithmic),
            title,
            note: "What each stage costs for a frame, without Xen and in both of Xen's domains. Bridge, netback, \
                   copy and notification exist under Xen alone: they are the price of virtualisation, beside what \
                   the stages that both have cost more."
                .into(),
            table,
        }
    };
    selection.scenarios.iter().map(figure).collect()
}

/// Where the frames went.
pub fn losses(selection: &Selection, environment: Environment) -> Figure {
    let mut table = Table::new(&[
        "scenario",
        "socket",
        "repetition",
        "hop",
        "machine",
        "came",
        "dropped",
        "passed",
        "unaccounted",
        "counted by",
    ]);
    let mut drawn = Vec::new();
    let mut worst: i64 = 0;
    for &scenario in &selection.scenarios {
        for buffer in Buffer::ALL {
            let condition = Condition {
                environment,
                scenario,
                buffer,
            };
            let mut lost: Vec<(&str, f64)> = [
                "captured",
                "nic",
                "vif",
                "netfront",
                "socket",
                "unaccounted",
            ]
            .map(|hop| (hop, 0.0))
            .to_vec();
            let mut sent = 0;
            let mut captured = 0;
            for run in selection.study.of(condition) {
                sent += run.frames.sent;
                captured += run.frames.captured;
                if run.frames.unaccounted.abs() > worst.abs() {
                    worst = run.frames.unaccounted;
                }
                for hop in &run.frames.hops {
                    let (name, frames) = match hop.hop.as_str() {
                        "captured" => ("captured", hop.came),
                        name => (name, hop.lost()),
                    };
                    if let Some((_, all)) = lost.iter_mut().find(|(known, _)| *known == name) {
                        *all += frames as f64;
                    }
                    let missing = hop.unaccounted.max(0) as f64;
                    lost[5].1 += missing;
                    table.push(vec![
                        Cell::text(scenario.to_string()),
                        Cell::text(buffer.name()),
                        Cell::count(run.id.repetition.into()),
                        Cell::text(&hop.hop),
                        Cell::text(hop.machine),
                        Cell::count(hop.came),
                        Cell::count(hop.lost()),
                        Cell::count(hop.passed),
                        Cell::Number(hop.unaccounted as f64, hop.unaccounted.to_string()),
                        Cell::text(&hop.source),
                    ]);
                }
            }
            if sent > 0 {
                drawn.push(Stack {
                    label: format!("{scenario}, {} socket buffer", buffer.name()),
                    end: format!("{} captured", percent(captured as f64 / sent as f64)),
                    parts: lost
                        .iter()
                        .map(|(hop, n)| (n / sent as f64 * 100.0, theme::of_hop(hop)))
                        .collect(),
                });
            }
        }
    }
    let legend: Vec<_> = [
        ("captured", "captured"),
        ("lost: NIC", "nic"),
        ("lost: vif queue", "vif"),
        ("lost: netfront", "netfront"),
        ("lost: socket", "socket"),
        ("unaccounted", "unaccounted"),
    ]
    .into_iter()
    .filter(|(_, hop)| environment.is_xen() || !["vif", "netfront"].contains(hop))
    .map(|(name, hop)| (name.to_owned(), theme::of_hop(hop)))
    .collect();
    let title = format!("{}: where frames were lost", environment.label());
    let subtitle = selection
        .on(environment)
        .world_subtitle("% of the frames sent");
    let sums = match worst {
        0 => "The counters of neighbouring hops agree, frame by frame, in every run.".to_owned(),
        worst => format!(
            "The counters of two neighbouring hops disagree by {} frames at worst (positive: frames that \
             no counter knows; negative: frames that weren't ours).",
            worst
        ),
    };
    Figure {
        id: format!("losses-{}", environment.name()),
        svg: stacks(&heading(&title, &subtitle), &legend, &drawn),
        title,
        note: format!("Each drop by the counters of the hop that dropped. {sums}"),
        table,
    }
}

/// The NIC driver as the paper derives it, beside what was measured.
pub fn driver(selection: &Selection) -> Figure {
    let mut table = Table::new(&[
        "scenario",
        "means subtracted",
        "sums subtracted",
        "measured, self",
        "measured, whole",
        "share of softirq (self)",
    ]);
    let mut groups = Vec::new();
    for &scenario in &selection.scenarios {
        let stage = |name| selection.pooled(scenario, Domain::Dom0, name);
        let figures = (|| {
            let (softirq, bridge, netback, driver) = (
                stage(Stage::Softirq)?,
                stage(Stage::Bridge)?,
                stage(Stage::Netback)?,
                stage(Stage::NicPoll)?,
            );
            let calls = softirq.moments.count as f64;
            let sum = |pooled: &Pooled| pooled.moments.sum as f64;
            // netback is called within bridge: subtracting both takes its cycles off twice, as
            // the paper's derivation would.
            let means = softirq.mean()? - bridge.mean()? - netback.mean()?;
            let sums = (sum(&softirq) - sum(&bridge)) / calls;
            let own = driver.self_sum as f64 / calls;
            Some((
                means,
                sums,
                own,
                sum(&driver) / calls,
                own * calls / sum(&softirq),
            ))
        })();
        let value = |pick: fn(&(f64, f64, f64, f64, f64)) -> f64| figures.as_ref().map(pick);
        let (means, sums, own) = (value(|f| f.0), value(|f| f.1), value(|f| f.2));
        let row = |value: Option<f64>, colour| Row {
            value: value.filter(|value| *value > 0.0),
            half: None,
            colour,
        };
        groups.push(Group {
            label: scenario.to_string(),
            rows: vec![
                row(means, theme::MEANS),
                row(sums, theme::SUMS),
                row(own, theme::MEASURED),
            ],
        });
        table.push(vec![
            Cell::text(scenario.to_string()),
            Cell::rounded(means),
            Cell::rounded(sums),
            Cell::rounded(own),
            Cell::rounded(value(|f| f.3)),
            Cell::share(value(|f| f.4)),
        ]);
    }
    let legend = [
        ("means subtracted, as in the paper".to_owned(), theme::MEANS),
        ("sums subtracted: softirq − bridge".to_owned(), theme::SUMS),
        (
            "measured: self time of the driver's poll".to_owned(),
            theme::MEASURED,
        ),
    ];
    let title = "dom0: the NIC driver in the softirq".to_owned();
    let subtitle = selection.subtitle("cycles a softirq");
    Figure {
        id: "driver".into(),
        svg: rows(&heading(&title, &subtitle), &legend, &groups, Scale::Linear),
        title,
        note: "The paper derives the driver's cost as softirq − bridge − netback. Of mean costs of a call that \
               is too much: a softirq makes many calls of bridge and netback. Sums over the run mend that (netback \
               runs within the bridge's function, and is subtracted with it), yet leave what else a softirq does. \
               xcap measures the driver's own self time."
            .into(),
        table,
    }
}

/// Why copy and notification vary: the paper's future work.
pub fn variation(selection: &Selection) -> Table {
    let mut table = Table::new(&[
        "stage",
        "scenario",
        "calls",
        "mean",
        "std dev ÷ mean",
        "not its own",
        "work a call",
        "slowest 1 %: cycles",
        "slowest 1 %: variance",
        "modes",
    ]);
    for stage in [Stage::Copy, Stage::GrantCopy, Stage::Notify] {
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
                spread.map_or(Cell::Missing, |spread| {
                    Cell::Number(spread, format!("{spread:.2}"))
                }),
                Cell::share(nested),
                ratio_cell(work),
                Cell::share(slow.map(|(cycles, _)| cycles)),
                Cell::share(slow.map(|(_, variance)| variance)),
                Cell::text(humps.join(", ")),
            ]);
        }
    }
    table
}
