// SPDX-License-Identifier: GPL-2.0

//! Scope where frames come in, and where they cross to a domU: the card that is polled, the queue of netback, tell whose
//! they are.

use crate::labs::{On, World};
use crate::world::{capture, control, fresh, receivers, report, stage, Stages};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Lab, Place};
use xcap_stats::report::StageReport;

const FRAMES: u32 = 23;
const GAP_US: u32 = 20_000;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "scope_of_a_card_counts_what_it_received",
            On::Bare,
            a_card_s_polls,
        ),
        world.trial(
            "scope_of_a_domu_s_interface_counts_what_its_queue_held",
            On::Xen,
            a_domu_s_queue,
        ),
    ]
}

/// Captures with this scope; gives what the stages saw then.
fn within(lab: &Lab, guest: &Guest, scope: &str, names: [&str; 2]) -> Result<[StageReport; 2]> {
    control(guest, &format!("'only {scope} {}'", names.join(" ")))?;
    for receiver in receivers(lab) {
        // A capture ends with `stop`.
        control(receiver, "start")?;
    }
    capture(lab, FRAMES, GAP_US)?;
    let all = report(guest)?;
    Ok([
        stage(&all, names[0])?.clone(),
        stage(&all, names[1])?.clone(),
    ])
}

fn turned_away(stages: &[StageReport; 2], scope: &str) -> Result<()> {
    for one in stages {
        ensure!(
            one.entries == 0 && one.out_of_scope > 0,
            "{scope}: {} has {} entries, {} turned away",
            one.stage,
            one.entries,
            one.out_of_scope
        );
    }
    Ok(())
}

fn a_card_s_polls(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    fresh(guest, Stages::These("nic_poll,deliver"))?;
    let names = ["nic_poll", "deliver"];
    let [polls, deliver] = within(lab, guest, "interface eth0", names)?;
    ensure!(
        polls.work == u64::from(FRAMES) && polls.out_of_scope == 0,
        "eth0's polls found {} frames of {FRAMES}, {} polls were turned away",
        polls.work,
        polls.out_of_scope
    );
    ensure!(
        deliver.count == u64::from(FRAMES),
        "{} frames delivered",
        deliver.count
    );
    turned_away(
        &within(lab, guest, "interface lo", names)?,
        "lo, which received nothing",
    )
}

fn a_domu_s_queue(lab: &Lab) -> Result<()> {
    fresh(lab.guest(Place::DomU), Stages::These("deliver"))?;
    let dom0 = lab.guest(Place::Dom0);
    fresh(dom0, Stages::These("netback,copy"))?;
    let names = ["netback", "copy"];
    let vif = dom0.sh("cd /sys/class/net; echo vif*")?;
    let scope = format!("interface {}", vif.trim());
    for one in within(lab, dom0, &scope, names)? {
        ensure!(
            one.count == u64::from(FRAMES) && one.missed == 0 && one.out_of_scope == 0,
            "{scope}: {} counted {} of {FRAMES} frames, turned {} away",
            one.stage,
            one.count,
            one.out_of_scope
        );
    }
    turned_away(
        &within(lab, dom0, "interface eth0", names)?,
        "the card, whose frames they were before",
    )
}
