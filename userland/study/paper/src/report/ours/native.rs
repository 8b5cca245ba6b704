// SPDX-License-Identifier: GPL-2.0

//! Native beside Xen.

use xcap_abi::stage::Stage;

use crate::figure::{rows, theme, Figure, Group, Heading, Row, Scale};
use crate::report::selection::{buffer_words, Selection};
use crate::tables::{Cell, Table};
use xcap_study::run_id::{Domain, Environment};
use xcap_study::scenario::Scenario;

/// Where it is measured, in the order of rows and columns.
const DOMAINS: [Domain; 3] = [Domain::Bare, Domain::Dom0, Domain::DomU];

/// Cycles a frame in each of [`DOMAINS`].
type Cycles = [Option<f64>; 3];

/// Native beside Xen: one figure a scenario.
pub fn beside_xen(selection: &Selection) -> Vec<Figure> {
    let native = selection.on(Environment::Native);
    let figure = |&scenario: &Scenario| figure(selection, &native, scenario);
    selection.scenarios.iter().map(figure).collect()
}

fn figure(xen: &Selection, native: &Selection, scenario: Scenario) -> Figure {
    let mut table = Table::new(&["stage", "native", "dom0", "domU", "Xen ÷ native"]);
    let mut groups = Vec::new();
    for stage in Stage::path() {
        let cycles: Cycles = DOMAINS.map(|domain| {
            let selection = if domain == Domain::Bare { native } else { xen };
            let pooled = selection.pooled(scenario, domain, stage)?;
            pooled.per_frame().filter(|_| pooled.moments.count > 0)
        });
        if cycles.iter().any(Option::is_some) {
            table.push(row(stage, cycles));
            groups.push(group(stage, cycles));
        }
    }
    let legend = DOMAINS.map(|domain| {
        let name = match domain {
            Domain::Bare => "native",
            domain => domain.name(),
        };
        (name.to_owned(), theme::of_domain(domain))
    });
    let title = format!("{scenario}: native beside {}", xen.environment.label());
    let unit = format!("{} a frame, log., {}", xen.unit(), buffer_words(xen.buffer));
    let subtitle = xen.world_subtitle(&unit);
    let heading = Heading::new(&title, &subtitle);
    Figure {
        id: format!("native-{scenario}"),
        svg: rows(&heading, &legend, &groups, Scale::Logarithmic),
        title,
        note: "What each stage costs for a frame, without Xen and in both of Xen's domains. Bridge, netback, \
               copy and notification exist under Xen alone: they are part of what Xen adds, beside what \
               the stages that both have cost more, and what the hypervisor itself takes, which isn't here."
            .into(),
        table,
    }
}

fn row(stage: Stage, cycles: Cycles) -> Vec<Cell> {
    let [native, in_xen @ ..] = cycles;
    let xen: f64 = in_xen.iter().flatten().sum();
    let ratio = native
        .filter(|&native| native > 0.0 && xen > 0.0)
        .map(|native| xen / native);
    let mut row = vec![Cell::text(stage.word())];
    row.extend(cycles.map(Cell::rounded));
    row.push(Cell::ratio(ratio));
    row
}

/// Where a stage isn't, there is no bar of it.
fn group(stage: Stage, cycles: Cycles) -> Group {
    let there = DOMAINS
        .into_iter()
        .zip(cycles)
        .filter(|(_, value)| value.is_some());
    let bar = |(domain, value)| Row {
        value,
        half: None,
        colour: theme::of_domain(domain),
    };
    Group {
        label: stage.label().to_owned(),
        rows: there.map(bar).collect(),
    }
}
