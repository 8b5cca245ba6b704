// SPDX-License-Identifier: GPL-2.0

//! Frames are counted exactly on other cards than the labs' own.

use crate::labs::{thorough_if, World};
use crate::world::{capture, fresh_all, report, stage};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Config, Lab, Place};

const FRAMES: u32 = 97;

/// Long enough for the card to be done with each.
const GAP_US: u32 = 800;

/// QEMU's cards.
const OTHERS: [&str; 3] = ["igb", "virtio-net-pci", "e1000"];

pub fn trials(world: &'static World) -> Vec<Trial> {
    OTHERS
        .into_iter()
        .map(|nic| {
            let name = format!("frames_are_counted_exactly_on_{nic}");
            let trial = world.own_trial(name, move || {
                let config = Config {
                    nic: nic.to_owned(),
                    ..Config::bare()
                };
                let mut lab = Lab::boot(world.materials()?, &config)?;
                exactly(&lab).map_err(|e| lab.explain(e))
            });
            thorough_if(nic != OTHERS[0], trial)
        })
        .collect()
}

fn exactly(lab: &Lab) -> Result<()> {
    fresh_all(lab, "auto")?;
    capture(lab, FRAMES, GAP_US)?;
    let report = report(lab.guest(Place::Bare))?;
    let frames = u64::from(FRAMES);
    // The first frame wakes a call of recvmsg that began before.
    for name in ["deliver", "copy_user"] {
        let count = stage(&report, name)?.count;
        ensure!(count == frames, "{name} counted {count} of {FRAMES} frames");
    }
    let polled = stage(&report, "nic_poll")?.work;
    ensure!(
        polled == frames,
        "nic_poll's work is {polled} of {FRAMES} frames"
    );
    let interrupt = stage(&report, "nic_irq")?;
    ensure!(interrupt.count > 0, "the card never interrupted");
    let quiet: Vec<_> = report
        .warnings
        .iter()
        .filter(|warning| warning.contains("no call"))
        .collect();
    ensure!(quiet.is_empty(), "xcap-read warns: {quiet:?}");
    Ok(())
}
