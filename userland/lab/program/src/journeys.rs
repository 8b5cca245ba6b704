// SPDX-License-Identifier: GPL-2.0

//! What a demo says of the frames' journeys: a line a scenario.

use anyhow::Result;
use xcap_journeys::summary::Summary;
use xcap_journeys::told;
use xcap_output::print;
use xcap_study::marked::Marked;

pub fn show(journeys: &[Marked]) -> Result<()> {
    let Some(first) = journeys.first() else {
        return Ok(());
    };
    let mut text = format!(
        "\njourneys of {} numbered frames each, sent after those above and marked on their way\n",
        first.frames.frames
    );
    for marked in journeys {
        let summary = Summary::new(&marked.analysis);
        text += &format!(
            " {}: {}\n",
            marked.frames.run.scenario,
            told::line(&summary)
        );
    }
    if let Some(clock) = told::clock(&Summary::new(&first.analysis)) {
        text += &format!(" {clock}\n");
    }
    print(&text)?;
    Ok(())
}
