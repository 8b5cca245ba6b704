// SPDX-License-Identifier: GPL-2.0

//! What has to hold of journeys where no frame was lost.

use anyhow::{ensure, Result};
use xcap_journeys::analysis::{Analysis, Journey};
use xcap_journeys::summary::Summary;
use xcap_journeys::told;

/// Each of the `frames`, which were captured or sent as `done` has it, has a whole journey, all of which is service or
/// wait; none overtook another.
pub fn all_are_whole(analysis: &Analysis, frames: u64, done: &str) -> Result<()> {
    let summary = Summary::new(analysis);
    ensure!(
        (summary.sent, summary.captured, summary.complete) == (Some(frames), frames, frames),
        "{}: {:?}",
        told::line_of(&summary, done),
        told::faults(&summary)
    );
    ensure!(
        summary.service_ticks + summary.wait_ticks == summary.total_ticks,
        "{summary:?}"
    );
    let mut whole: Vec<&Journey> = analysis.whole.iter().collect();
    let numbers: Vec<u64> = whole.iter().map(|journey| journey.frame).collect();
    ensure!(numbers == (0..frames).collect::<Vec<_>>(), "{numbers:?}");
    // One after another on the wire, one after another here.
    whole.sort_by_key(|journey| journey.segments[0].from);
    ensure!(
        whole.iter().map(|journey| journey.frame).is_sorted(),
        "frames overtook one another"
    );
    Ok(())
}
