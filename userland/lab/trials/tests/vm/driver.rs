// SPDX-License-Identifier: GPL-2.0

//! A driver that goes while its functions are probed, and comes back.

use crate::labs::{On, World};
use crate::world::{capture, control, fresh, report, stage, Stages};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Place};

const OF_THE_DRIVER: [&str; 2] = ["nic_irq", "nic_poll"];

const OF_THE_DRIVER_ALONE: Stages = Stages::These("nic_irq,nic_poll");

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe", "fprobe"] {
        trials.push(world.trial(
            format!("a_driver_goes_and_comes_back_{backend}"),
            On::Bare,
            move |lab| {
                let guest = lab.guest(Place::Bare);
                fresh(guest, OF_THE_DRIVER_ALONE)?;
                if backend != "auto" {
                    control(guest, &format!("backend={backend}"))?;
                }
                states(guest, "armed")?;
                guest.sh("ip link set eth0 down; rmmod e1000e")?;
                states(guest, "gone")?;
                guest.sh(". /lab/network.sh; card_up e1000e; /lab/settle")?;
                states(guest, "armed")?;
                capture(lab, 7, 5000)?;
                let polled = stage(&report(guest)?, "nic_poll")?.work;
                ensure!(
                    polled == 7,
                    "{polled} of 7 frames after the driver came back"
                );
                Ok(())
            },
        ));
        trials.push(world.trial(
            format!("xcap_goes_while_a_driver_is_gone_{backend}"),
            On::Unplugged,
            move |lab| {
                let guest = lab.guest(Place::Bare);
                fresh(guest, OF_THE_DRIVER_ALONE)?;
                if backend != "auto" {
                    control(guest, &format!("backend={backend}"))?;
                }
                guest.sh("ip link set eth0 down; rmmod e1000e; rmmod xcap")?;
                guest.sh(". /lab/network.sh; card_up e1000e; /lab/settle")?;
                Ok(())
            },
        ));
    }
    trials
}

fn states(guest: &Guest, wanted: &str) -> Result<()> {
    let report = report(guest)?;
    for name in OF_THE_DRIVER {
        let state = &stage(&report, name)?.state;
        ensure!(state == wanted, "{name} is {state}, not {wanted}");
    }
    Ok(())
}
