// SPDX-License-Identifier: GPL-2.0

//! The NIC driver as the paper derives it, beside what was measured.

use xcap_abi::stage::Stage;

use crate::figure::{rows, theme, Figure, Group, Heading, Row, Scale};
use crate::report::selection::Selection;
use crate::study::Pooled;
use crate::tables::{Cell, Table};
use xcap_study::run_id::Domain;
use xcap_study::scenario::Scenario;

/// The driver's cost by each way, in cycles a softirq.
struct Driver {
    means_subtracted: f64,
    sums_subtracted: f64,
    measured_self: f64,
    measured_whole: f64,
    /// Of the softirq's cycles, those of the driver's self time.
    share: f64,
}

impl Driver {
    /// `None` where a stage is missing or has no calls.
    fn of(selection: &Selection, scenario: Scenario) -> Option<Self> {
        let stage = |name| selection.pooled(scenario, Domain::Dom0, name);
        let (softirq, bridge, netback, driver) = (
            stage(Stage::Softirq)?,
            stage(Stage::Bridge)?,
            stage(Stage::Netback)?,
            stage(Stage::NicPoll)?,
        );
        let calls = softirq.moments.count as f64;
        let sum = |pooled: &Pooled| pooled.moments.sum as f64;
        let measured_self = driver.self_sum as f64 / calls;
        Some(Self {
            // netback is called within bridge: subtracting both takes its cycles off twice, as
            // the paper's derivation would.
            means_subtracted: softirq.mean()? - bridge.mean()? - netback.mean()?,
            sums_subtracted: (sum(&softirq) - sum(&bridge)) / calls,
            measured_self,
            measured_whole: sum(&driver) / calls,
            share: measured_self * calls / sum(&softirq),
        })
    }
}

/// The NIC driver, derived and measured.
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
        let driver = Driver::of(selection, scenario);
        let value = |pick: fn(&Driver) -> f64| driver.as_ref().map(pick);
        let means = value(|driver| driver.means_subtracted);
        let sums = value(|driver| driver.sums_subtracted);
        let own = value(|driver| driver.measured_self);
        groups.push(Group {
            label: scenario.to_string(),
            rows: vec![
                bar(means, theme::MEANS),
                bar(sums, theme::SUMS),
                bar(own, theme::MEASURED),
            ],
        });
        table.push(vec![
            Cell::text(scenario.to_string()),
            Cell::rounded(means),
            Cell::rounded(sums),
            Cell::rounded(own),
            Cell::rounded(value(|driver| driver.measured_whole)),
            Cell::share(value(|driver| driver.share)),
        ]);
    }
    let legend = [
        ("means subtracted, as in the paper", theme::MEANS),
        ("sums subtracted: softirq − bridge", theme::SUMS),
        ("measured: self time of the driver's poll", theme::MEASURED),
    ]
    .map(|(words, colour)| (words.to_owned(), colour));
    let title = "dom0: the NIC driver in the softirq".to_owned();
    let subtitle = selection.subtitle(&format!("{} a softirq", selection.unit()));
    let heading = Heading::new(&title, &subtitle);
    Figure {
        id: "driver".into(),
        svg: rows(&heading, &legend, &groups, Scale::Linear),
        title,
        note: "The paper derives the driver's cost as softirq − bridge − netback. Of mean costs of a call that \
               is too much: a softirq makes many calls of bridge and netback. Sums over the run mend that (netback \
               runs within the bridge's function, and is subtracted with it), yet leave what else a softirq does. \
               xcap measures the driver's own self time."
            .into(),
        table,
    }
}

fn bar(value: Option<f64>, colour: plotters::style::RGBColor) -> Row {
    Row {
        value: value.filter(|value| *value > 0.0),
        half: None,
        colour,
    }
}
