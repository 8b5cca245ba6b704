// SPDX-License-Identifier: GPL-2.0

//! Frames are counted exactly on other cards, and with other interrupts, than the labs' own.

use crate::labs::World;
use crate::world::{capture, fresh_all, report, stage};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Config, Lab, Place};

const FRAMES: u32 = 97;

/// Long enough for the card to be done with each.
const GAP_US: u32 = 800;

/// QEMU's cards; and how e1000e interrupts, by its parameter IntMode: INTx, MSI.
const OTHERS: [&str; 3] = ["igb", "virtio-net-pci", "e1000"];
const INTERRUPTS: [(&str, &str); 2] = [("0", "e1000_intr"), ("1", "e1000_intr_msi")];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials: Vec<Trial> = OTHERS
        .into_iter()
        .map(|nic| {
            world.own_trial(format!("frames_are_counted_exactly_on_{nic}"), move || {
                let config = Config {
                    nic: nic.to_owned(),
                    ..Config::bare()
                };
                let mut lab = Lab::boot(world.materials()?, &config)?;
                exactly(&lab).map_err(|e| lab.explain(e)).map(drop)
            })
        })
        .collect();
    trials.push(
        world.own_trial("frames_are_counted_exactly_with_msi_and_intx", || {
            let mut lab = Lab::boot(world.materials()?, &Config::bare())?;
            by_interrupts(&lab).map_err(|e| lab.explain(e))
        }),
    );
    trials
}

/// Which function was the card's interrupt.
fn exactly(lab: &Lab) -> Result<String> {
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
    Ok(interrupt.function.clone().unwrap_or_default())
}

fn by_interrupts(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    for (mode, handler) in INTERRUPTS {
        guest.sh(&format!(
            "ip link set eth0 down; rmmod e1000e
            modprobe e1000e IntMode={mode}
            . /lab/network.sh; card_up e1000e; /lab/settle"
        ))?;
        let function = exactly(lab)?;
        ensure!(
            function == handler,
            "with IntMode={mode} {function} was the interrupt, not {handler}"
        );
    }
    Ok(())
}
