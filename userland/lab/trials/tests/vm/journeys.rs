// SPDX-License-Identifier: GPL-2.0

//! Numbered frames are followed from the card to the capturing program, or to where they were lost.

use crate::labs::{thorough, On, World};
use crate::transmit::sent_by_domu;
use crate::whole::all_are_whole;
use crate::world::{fresh_all, receivers};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_journeys::summary::Summary;
use xcap_journeys::told;
use xcap_machines::config::emulation::{Accelerator, Clock};
use xcap_machines::config::DomUType;
use xcap_machines::{Config, Lab};
use xcap_study::marked::{self, Marked};
use xcap_study::part::Task;
use xcap_study::placed::losses;
use xcap_study::run::lab::recorder;
use xcap_study::run::perform_marked;
use xcap_study::run_id::{Buffer, Environment, RunId};
use xcap_study::scenario::{Scenario, W0S0064};

/// Primes: no batch size divides them.
const SLOW: u64 = 23;
const FLOOD: u64 = 4999;

/// Room for some twenty frames: less than a poll brings.
const NO_ROOM: &str = "16384";

/// There, each takes some 50,000 instructions.
const SENT_IN_PVH: u64 = 499;

pub fn trials(world: &'static World) -> Vec<Trial> {
    let both = |lab: &Lab, environment| {
        slow_ones_are_whole(lab, environment)?;
        losses_are_placed(lab, environment)
    };
    vec![
        world.trial("frames_have_journeys_bare", On::Bare, move |lab| {
            both(lab, Environment::Native)
        }),
        world.trial("frames_have_journeys_in_pv", On::Xen, move |lab| {
            both(lab, Environment::XenPv)
        }),
        thorough(world.own_trial("frames_have_journeys_in_pvh", move || {
            let materials = world.materials()?;
            // Its sender is in the emulator: a machine less.
            let config = Config {
                domu: DomUType::Pvh,
                clock: Clock::Instructions,
                accelerator: Accelerator::Tcg,
                cpus: 1,
                copies: vec![recorder(materials.program("xcap-lab")?)?],
                ..Config::xen()
            };
            let mut lab = Lab::boot(materials, &config)?;
            let received_and_sent = both(&lab, Environment::XenPvh)
                .and_then(|()| sent_by_domu(&lab, Environment::XenPvh, SENT_IN_PVH));
            lab.judged(received_and_sent)
        })),
    ]
}

fn follow(
    lab: &Lab,
    environment: Environment,
    scenario: Scenario,
    buffer: Buffer,
    frames: u64,
) -> Result<Marked> {
    fresh_all(lab, "auto")?;
    let run = RunId {
        environment,
        scenario,
        buffer,
        repetition: 1,
    };
    let task = Task {
        scenario: run.scenario,
        buffer: run.buffer,
        repetition: run.repetition,
        frames,
        gap_ns: None,
    };
    let folder = tempfile::tempdir()?;
    marked::keep(folder.path(), run, perform_marked(lab, task)?)
}

fn slow_ones_are_whole(lab: &Lab, environment: Environment) -> Result<()> {
    let slow = Scenario {
        wait_us: 20_000,
        size: 64,
    };
    let marked = follow(lab, environment, slow, Buffer::Large, SLOW)?;
    all_are_whole(&marked.analysis, SLOW, "captured")
}

/// What is captured is whole, and what isn't was seen last where a counter says that it was lost.
fn losses_are_placed(lab: &Lab, environment: Environment) -> Result<()> {
    let room = "/proc/sys/net/core/rmem_default";
    let guest = lab.guest(lab.capturing_place());
    let before = guest.sh(&format!("cat {room}; echo {NO_ROOM} >{room}"))?;
    // No divisor of a poll's budget, so that one that uses it up leaves frames to the softirq.
    let batch = "/proc/sys/net/core/gro_normal_batch";
    let with_odd_batches = |how_many| {
        let receivers = receivers(lab).into_iter();
        receivers
            .map(move |guest| guest.sh(&format!("echo {how_many} >{batch}")))
            .collect::<Result<Vec<_>>>()
    };
    with_odd_batches(5)?;
    let marked = follow(lab, environment, W0S0064, Buffer::System, FLOOD);
    with_odd_batches(8)?;
    guest.sh(&format!("echo {} >{room}", before.trim()))?;
    let marked = marked?;
    let summary = Summary::new(&marked.analysis);
    let frames = &marked.frames;
    ensure!(
        summary.complete == frames.captured && frames.unaccounted == 0,
        "{}: {:?}; {frames:?}",
        told::line(&summary),
        told::faults(&summary)
    );
    let socket = summary.socket.as_ref();
    // Where domains share a CPU, nobody may look just when some are there.
    let least = u64::from(environment == Environment::Native);
    ensure!(
        socket.is_some_and(|socket| socket.agreeing == socket.looks && socket.longest >= least),
        "the kernel's counts of what the socket held, against the marks: {socket:?}"
    );
    let placed = losses(&marked);
    let lost: u64 = placed.iter().map(|placed| placed.marked).sum();
    ensure!(
        placed.iter().all(|placed| placed.marked == placed.counted)
            && lost == FLOOD - frames.captured
            && lost > 0,
        "{placed:?} of {frames:?}; {:?}",
        summary.lost
    );
    Ok(())
}
