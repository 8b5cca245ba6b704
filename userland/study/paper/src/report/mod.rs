// SPDX-License-Identifier: GPL-2.0

//! The report: figures, tables and findings of all runs, on one page.

mod findings;
mod future;
mod journeys;
mod model;
mod ours;
mod page;
mod paper;
mod selection;
mod sending;
mod waits;

use std::path::{Path, PathBuf};

use anyhow::Result;
use xcap_machines::files::replace;
use xcap_study::load;

use crate::data;
use crate::figure::alone;
use crate::journeys::any_marked;
use crate::loads::Loads;
use crate::study::Study;
use crate::{sending as of_sending, ways};
pub use findings::FindingRow;
use model::Report;
use page::page;
pub use selection::world_word;

/// Reads the results in a folder and writes the report beside them; gives the page's path.
pub fn write(results: &Path) -> Result<PathBuf> {
    let study = Study::new(load::all(results)?);
    let loads = Loads::read(results)?;
    let marked = any_marked(results)?;
    let sending = of_sending::read(results)?;
    let report = Report::new(
        &study,
        &loads,
        &marked,
        ways::read(results)?,
        sending.as_ref(),
    );
    for figure in report.figures() {
        let path = results.join("figures").join(format!("{}.svg", figure.id));
        replace(&path, alone(&figure.svg))?;
    }
    for (name, table) in report.tables() {
        let folder = results.join("tables");
        replace(&folder.join(format!("{name}.csv")), table.csv()?)?;
        replace(&folder.join(format!("{name}.md")), table.markdown())?;
    }
    let rows = serde_json::to_string_pretty(&findings::rows(&report.findings))? + "\n";
    replace(&results.join("findings.json"), rows)?;
    data::write(&study.runs, &results.join("tables"))?;
    let path = results.join("report.html");
    replace(&path, page(&report))?;
    data::write_manifest(results, &study.runs)?;
    Ok(path)
}
