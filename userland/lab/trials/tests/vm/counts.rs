// SPDX-License-Identifier: GPL-2.0

//! A known number of frames gives exactly that number of calls.

use crate::labs::{thorough_if, On, World};
use crate::world::{capture, fresh_all, report, stage};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Lab, Place};

/// A prime: no batch size divides it.
const FRAMES: u32 = 23;

/// Long enough for each frame to be handled before the next comes.
const GAP_US: u32 = 20_000;

const DOM0_PER_FRAME: [&str; 3] = ["bridge", "netback", "copy"];
const CAPTURE_PER_FRAME: [&str; 2] = ["deliver", "copy_user"];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe", "fprobe"] {
        let under_xen = world.trial(
            format!("slow_frames_are_counted_exactly_under_xen_{backend}"),
            On::Xen,
            move |lab| {
                fresh_all(lab, backend)?;
                capture(lab, FRAMES, GAP_US)?;
                exactly(lab, Place::Dom0, &DOM0_PER_FRAME)?;
                exactly(lab, Place::DomU, &CAPTURE_PER_FRAME)
            },
        );
        trials.push(thorough_if(backend != "auto", under_xen));
        trials.push(world.trial(
            format!("slow_frames_are_counted_exactly_bare_{backend}"),
            On::Bare,
            move |lab| {
                fresh_all(lab, backend)?;
                capture(lab, FRAMES, GAP_US)?;
                exactly(lab, Place::Bare, &CAPTURE_PER_FRAME)
            },
        ));
    }
    trials
}

fn exactly(lab: &Lab, place: Place, stages: &[&str]) -> Result<()> {
    let guest: &Guest = lab.guest(place);
    let report = report(guest)?;
    for name in stages {
        let stage = stage(&report, name)?;
        ensure!(
            stage.count == u64::from(FRAMES),
            "{place}: {name} counted {} of {FRAMES} frames, and missed {}",
            stage.count,
            stage.missed
        );
        ensure!(
            stage.missed == 0,
            "{place}: {name} missed {} calls",
            stage.missed
        );
    }
    let polled = stage(&report, "nic_poll")?;
    ensure!(
        polled.work == u64::from(FRAMES),
        "{place}: nic_poll's work is {} of {FRAMES} frames",
        polled.work
    );
    Ok(())
}
