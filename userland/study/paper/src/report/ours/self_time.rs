// SPDX-License-Identifier: GPL-2.0

//! What a stage itself takes of a frame's cost.

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;

use crate::figure::{stacks, theme, Figure, Heading, Stack};
use crate::numbers::short;
use crate::report::selection::{buffer_words, Selection};
use crate::tables::{Cell, Table};
use xcap_study::run_id::{Domain, Environment};
use xcap_study::scenario::Scenario;

/// Self time of each stage, as one stacked bar a scenario.
pub fn self_time(selection: &Selection, environment: Environment, domain: Domain) -> Figure {
    let selection = selection.on(environment);
    let stages = selection.called(domain, Stage::ALL);
    let unit = selection.unit();
    let own = format!("self {unit} a frame");
    let mut table = Table::new(&["scenario", "stage", &own, "share"]);
    let mut drawn = Vec::new();
    for &scenario in &selection.scenarios {
        let each = cycles(&selection, scenario, domain, &stages);
        let total: f64 = each.iter().map(|(_, cycles)| cycles).sum();
        drawn.push(Stack {
            label: scenario.to_string(),
            end: format!("{} a frame", short(total)),
            parts: parts(&each),
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
    let place = if environment.is_xen() {
        domain.name()
    } else {
        "native"
    };
    let title = format!("{place}: self time of each stage");
    let subtitle = selection.subtitle(&format!(
        "{unit} a frame, {}",
        buffer_words(selection.buffer)
    ));
    Figure {
        id: format!("self-{}-{domain}", environment.name()),
        svg: stacks(&Heading::new(&title, &subtitle), &legend(&stages), &drawn),
        title,
        note: "Each sample less the stages and interrupts nested in it, so the parts add up to what capturing \
               one frame costs on this machine. Calls that slept are left out of self time; “other \
               interrupts” is what the kernel's interrupt and softirq entry spend outside of the path's stages."
            .into(),
        table,
    }
}

/// Each stage's own cycles for a frame.
fn cycles(
    selection: &Selection,
    scenario: Scenario,
    domain: Domain,
    stages: &[Stage],
) -> Vec<(Stage, f64)> {
    let own = |&stage: &Stage| {
        let pooled = selection.pooled(scenario, domain, stage);
        let cycles = pooled.and_then(|pooled| pooled.self_per_frame());
        (stage, cycles.unwrap_or(0.0))
    };
    stages.iter().map(own).collect()
}

/// A bar's parts: the path's stages, and all others as one.
fn parts(each: &[(Stage, f64)]) -> Vec<(f64, RGBColor)> {
    let (path, others): (Vec<_>, Vec<_>) = each.iter().partition(|(stage, _)| stage.is_on_path());
    let mut parts: Vec<_> = path
        .into_iter()
        .map(|(stage, cycles)| (cycles, theme::of_stage(stage)))
        .collect();
    let others: f64 = others.iter().map(|(_, cycles)| cycles).sum();
    parts.push((others, theme::GREY));
    parts
}

fn legend(stages: &[Stage]) -> Vec<(String, RGBColor)> {
    let mut legend: Vec<_> = stages
        .iter()
        .filter(|stage| stage.is_on_path())
        .map(|&stage| (stage.label().to_owned(), theme::of_stage(stage)))
        .collect();
    legend.push(("other interrupts".into(), theme::GREY));
    legend
}
