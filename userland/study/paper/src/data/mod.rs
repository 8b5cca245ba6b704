// SPDX-License-Identifier: GPL-2.0

//! Data for others: tidy tables (one observation a row, exact integers), their dictionary, and a
//! manifest of all files.

mod dictionary;
mod manifest;
mod moments;
mod tables;

use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use xcap_machines::files::replace;
use xcap_study::load::Run;

pub use dictionary::Entry;
pub use manifest::Manifest;
pub use moments::Moments;
pub use tables::{Cost, Hop, RunRow};

/// Writes the tables of `runs` and their dictionary into a folder.
pub fn write(runs: &[Run], folder: &Path) -> Result<()> {
    replace(&folder.join("moments.csv"), csv(moments::rows(runs))?)?;
    replace(&folder.join("runs.csv"), csv(runs.iter().map(RunRow::of))?)?;
    replace(&folder.join("frames.csv"), csv(tables::hops(runs))?)?;
    replace(&folder.join("costs.csv"), csv(tables::costs(runs))?)?;
    let dictionary = dictionary::markdown(&[
        dictionary::table::<Moments>("moments.csv", "a row a run × domain × stage"),
        dictionary::table::<RunRow>("runs.csv", "a row a run"),
        dictionary::table::<Hop>("frames.csv", "a row a run × hop"),
        dictionary::table::<Cost>("costs.csv", "a row a run × domain × backend × cache"),
    ]);
    replace(&folder.join("dictionary.md"), dictionary)
}

/// Writes the manifest of all files below `results`.
pub fn write_manifest(results: &Path, runs: &[Run]) -> Result<()> {
    let manifest = Manifest::of(results, runs)?;
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    replace(&results.join(manifest::NAME), text)
}

pub(crate) fn csv<Row: Serialize + JsonSchema>(
    rows: impl IntoIterator<Item = Row>,
) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(dictionary::columns::<Row>())?;
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}
