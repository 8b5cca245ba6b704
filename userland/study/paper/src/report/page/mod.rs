// SPDX-License-Identifier: GPL-2.0

//! The page: one file, nothing fetched.

mod conditions;
mod findings;
mod header;
mod method;
mod parts;
mod sections;

use maud::{html, PreEscaped, DOCTYPE};

use super::model::Report;
use crate::figure::theme;
use xcap_study::testbed::World;

const TITLE: &str = "What packet capture costs in Xen, stage by stage";

pub fn page(report: &Report) -> String {
    let world = report.selection.study.world();
    let class = if world == World::Emulated {
        "emulated"
    } else {
        "real"
    };
    html! {
        (DOCTYPE)
        html lang="en" class=(class) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (TITLE) }
                link rel="icon" href="data:,";
                style { (PreEscaped(theme::style())) (PreEscaped(include_str!("style.css"))) }
            }
            body {
                (header::header(report, TITLE))
                main {
                    (findings::summary(report))
                    (sections::paper(report))
                    (findings::findings(report))
                    (sections::frames(report))
                    (sections::journeys(report))
                    (sections::cost(report))
                    (sections::loads(report))
                    (sections::ways(report))
                    (sections::sending(report))
                    (sections::distributions(report))
                    (sections::future(report))
                    (conditions::conditions(report))
                    (method::method(report.selection.study.unit()))
                }
                footer {
                    p { "Made by xcap-paper " (env!("CARGO_PKG_VERSION")) " from the files beside this page: "
                        code { "figures/*.svg" } ", " code { "tables/*.csv" } ", " code { "tables/*.md" }
                        ", and each run's " code { "before/" } ", " code { "after/" } ", " code { "frames.json" } " and "
                        code { "environment.json" } "." }
                }
            }
        }
    }
    .into_string()
    // A number and its sign stay on one line.
    .replace(" %", "\u{a0}%")
}
