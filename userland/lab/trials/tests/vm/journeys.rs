// SPDX-License-Identifier: GPL-2.0

//! Numbered frames are followed from the card to the capturing program.

use crate::labs::{On, World};
use crate::world::reload_all;
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_journeys::analysis::Journey;
use xcap_journeys::summary::Summary;
use xcap_journeys::told;
use xcap_machines::Lab;
use xcap_study::marked;
use xcap_study::part::Task;
use xcap_study::run::perform_marked;
use xcap_study::run_id::{Buffer, Environment, RunId};
use xcap_study::scenario::Scenario;

const FRAMES: u64 = 23;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("slow_frames_have_whole_journeys_bare", On::Bare, |lab| {
            all_are_whole(lab, Environment::Native)
        }),
        world.trial("slow_frames_have_whole_journeys_in_xen", On::Xen, |lab| {
            all_are_whole(lab, Environment::XenPv)
        }),
    ]
}

fn all_are_whole(lab: &Lab, environment: Environment) -> Result<()> {
    reload_all(lab, "auto")?;
    let run = RunId {
        environment,
        scenario: Scenario {
            wait_us: 20_000,
            size: 64,
        },
        buffer: Buffer::Large,
        repetition: 1,
    };
    let task = Task {
        scenario: run.scenario,
        buffer: run.buffer,
        repetition: run.repetition,
        frames: FRAMES,
    };
    let folder = tempfile::tempdir()?;
    let marked = marked::keep(folder.path(), run, perform_marked(lab, task)?)?;
    let summary = Summary::new(&marked.analysis);
    ensure!(
        (summary.sent, summary.captured, summary.complete) == (Some(FRAMES), FRAMES, FRAMES),
        "{}: {:?}",
        told::line(&summary),
        told::faults(&summary)
    );
    ensure!(
        summary.service_ticks + summary.wait_ticks == summary.total_ticks,
        "{summary:?}"
    );
    let mut whole: Vec<&Journey> = marked.analysis.whole.iter().collect();
    let numbers: Vec<u64> = whole.iter().map(|journey| journey.frame).collect();
    ensure!(numbers == (0..FRAMES).collect::<Vec<_>>(), "{numbers:?}");
    // One after another on the wire, one after another here.
    whole.sort_by_key(|journey| journey.segments[0].from);
    ensure!(
        whole.iter().map(|journey| journey.frame).is_sorted(),
        "frames overtook one another"
    );
    Ok(())
}
