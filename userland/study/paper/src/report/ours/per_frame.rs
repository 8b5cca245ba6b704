// SPDX-License-Identifier: GPL-2.0

//! What a frame costs, stage by stage.

use xcap_abi::stage::Stage;

use crate::figure::{rows, theme, Figure, Group, Heading, Row, Scale};
use crate::report::selection::{buffer_words, Selection};
use crate::study::Pooled;
use crate::tables::{Cell, Table};
use xcap_study::run_id::Domain;

/// Cost of each stage for each frame that came to the machine.
pub fn per_frame(selection: &Selection, domain: Domain) -> Figure {
    let unit = selection.unit();
    let (a_frame, a_unit) = (format!("{unit} a frame"), format!("{unit} a unit"));
    let mut table = Table::new(&[
        "scenario",
        "stage",
        &a_frame,
        "self, a frame",
        "calls a frame",
        "work a call",
        "unit",
        &a_unit,
    ]);
    let mut groups = Vec::new();
    for stage in selection.called(domain, Stage::path()) {
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
                Cell::hundredths((pooled.frames > 0).then(|| calls / pooled.frames as f64)),
                Cell::hundredths(work.map(|work| work / calls)),
                Cell::text(pooled.work_unit.clone().unwrap_or_else(|| "–".into())),
                Cell::rounded(work.map(|work| pooled.moments.sum as f64 / work)),
            ]);
        }
        groups.push(group);
    }
    let title = format!("{domain}: {a_frame}");
    let subtitle = selection.subtitle(&format!("log., {}", buffer_words(selection.buffer)));
    Figure {
        id: format!("per-frame-{domain}"),
        svg: rows(&Heading::new(&title, &subtitle), &selection.legend(), &groups, Scale::Logarithmic),
        title,
        note: format!("All {unit} spent in a stage, divided by the frames that came to this machine. Stages are \
               nested (softirq holds NIC driver holds bridge holds netback), so rows don't add up; the next \
               figures take the nested ones out."),
        table,
    }
}
