// SPDX-License-Identifier: GPL-2.0

//! The schemas of the files, as JSON Schema.

use anyhow::Result;
use schemars::{schema_for, JsonSchema};
use xcap_paper::cli::Schema;
use xcap_paper::compare::Comparison;
use xcap_paper::data::{Cost, Hop, Manifest, Moments, RunRow};
use xcap_paper::report::FindingRow;
use xcap_study::frames::Frames;
use xcap_study::part::Part;
use xcap_study::planned::Planned;
use xcap_study::run::overhead::Overhead;
use xcap_study::run::sending::Sending;
use xcap_study::run::sweep::Sweep;
use xcap_study::run::ways::Ways;
use xcap_study::testbed::Testbed;

pub fn print(schema: Schema) -> Result<()> {
    let text = match schema {
        Schema::Comparison => text::<Comparison>(),
        Schema::Finding => text::<FindingRow>(),
        Schema::Manifest => text::<Manifest>(),
        Schema::Study => text::<Planned>(),
        Schema::Frames => text::<Frames>(),
        Schema::Environment => text::<Testbed>(),
        Schema::Part => text::<Part>(),
        Schema::Sweep => text::<Sweep>(),
        Schema::Overhead => text::<Overhead>(),
        Schema::Ways => text::<Ways>(),
        Schema::Transmit => text::<Sending>(),
        Schema::Moments => text::<Moments>(),
        Schema::Runs => text::<RunRow>(),
        Schema::Hops => text::<Hop>(),
        Schema::Costs => text::<Cost>(),
    }?;
    Ok(xcap_output::print(&text)?)
}

fn text<File: JsonSchema>() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schema_for!(File))? + "\n")
}
