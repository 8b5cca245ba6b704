// SPDX-License-Identifier: GPL-2.0

//! Frames that a guest sends are counted at each step of their way to the cable, and followed to it, or to where they
//! are lost.

use crate::labs::{On, World};
use crate::whole::all_are_whole;
use crate::world::{control, fresh_all, stage};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_journeys::summary::Summary;
use xcap_journeys::told;
use xcap_machines::{Lab, Place};
use xcap_stats::report::Report;
use xcap_study::layout;
use xcap_study::placed::losses_of_sent;
use xcap_study::run::transmit::{Load, Timed, Transmitted};
use xcap_study::run_id::{Domain, Environment};
use xcap_study::scenario::{Scenario, W0S0064};

/// Primes: no batch size divides them.
const SLOW: Load = Load {
    scenario: Scenario {
        wait_us: 20_000,
        size: 64,
    },
    frames: 23,
};
const FLOOD: u64 = 4999;

/// The card has room for a frame, and the queue before it for few.
const NARROW: &str = "echo 64 >/sys/class/net/eth0/queues/tx-0/byte_queue_limits/limit_max && \
    /usr/sbin/tc qdisc replace dev eth0 root pfifo limit 17";
const WIDE: &str =
    "cd /sys/class/net/eth0/queues/tx-0/byte_queue_limits && echo max >limit_max && \
    /usr/sbin/tc qdisc del dev eth0 root";

/// Stages that a frame meets once.
const BARE: [(Domain, &[&str]); 1] = [(Domain::Bare, &["tx_send", "tx_queue", "tx_card"])];
const XEN: [(Domain, &[&str]); 2] = [
    (Domain::DomU, &["tx_send", "tx_queue", "tx_netfront"]),
    (
        Domain::Dom0,
        &["bridge", "tx_queue", "tx_release", "tx_card"],
    ),
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("stages_of_sending_come_and_go", On::Bare, come_and_go),
        world.trial("frames_that_are_sent_bare", On::Bare, |lab| {
            sent(lab, Environment::Native, &BARE, FLOOD)
        }),
        world.trial("frames_that_are_sent_by_a_domu", On::Xen, |lab| {
            sent_by_domu(lab, Environment::XenPv, FLOOD)
        }),
    ]
}

/// Whatever is written twice; nothing is different afterwards.
fn come_and_go(lab: &Lab) -> Result<()> {
    fresh_all(lab, "auto")?;
    let guest = lab.guest(Place::Bare);
    let probes = || guest.sh("cat /sys/kernel/debug/xcap/probes");
    let before = probes()?;
    let mut seen = Vec::new();
    for words in ["on", "on", "off", "off"] {
        control(guest, &format!("transmit {words}"))?;
        seen.push(probes()?);
    }
    ensure!(seen[0] == seen[1], "{} then {}", seen[0], seen[1]);
    ensure!(seen[2] == before && seen[3] == before, "{}", seen[3]);
    let added = seen[0].lines().filter(|line| line.starts_with("tx_"));
    let armed = added.filter(|line| line.contains("armed")).count();
    ensure!(armed >= 3, "{}", seen[0]);
    for wrong in ["transmit", "transmit maybe", "transmit on off"] {
        let refused = control(guest, wrong).is_err();
        ensure!(refused && probes()? == before, "{wrong} was taken");
    }
    Ok(())
}

/// A guest of any kind; `flood` frames without a pause, twice.
pub fn sent_by_domu(lab: &Lab, environment: Environment, flood: u64) -> Result<()> {
    sent(lab, environment, &XEN, flood)
}

fn sent(lab: &Lab, environment: Environment, way: &[(Domain, &[&str])], flood: u64) -> Result<()> {
    fresh_all(lab, "auto")?;
    let timed = Timed::begin(lab, environment, Some(flood))?;
    let flood = Load {
        scenario: W0S0064,
        frames: flood,
    };
    for load in [SLOW, flood] {
        let transmitted = timed.transmit(load)?;
        all_are_counted(&transmitted, load.frames, way)?;
        all_are_whole(&transmitted.analysis()?, load.frames, "sent")?;
    }
    // A program of the machine that has the card is told, and sends again.
    if environment.is_xen() {
        timed.card().sh(NARROW)?;
        let transmitted = timed.transmit(flood);
        timed.card().sh(WIDE)?;
        losses_are_placed(&transmitted?, flood.frames)?;
    }
    timed.end()
}

/// What left is whole, and what didn't was seen last where a counter says that it was lost.
fn losses_are_placed(transmitted: &Transmitted, frames: u64) -> Result<()> {
    let analysis = transmitted.analysis()?;
    let summary = Summary::new(&analysis);
    ensure!(
        summary.complete == transmitted.left
            && transmitted
                .arrived
                .is_none_or(|arrived| arrived == transmitted.left),
        "{} left, {:?} arrived; {}: {:?}",
        transmitted.left,
        transmitted.arrived,
        told::line_of(&summary, "sent"),
        told::faults(&summary)
    );
    let placed = losses_of_sent(transmitted, &analysis);
    let lost: u64 = placed.iter().map(|placed| placed.marked).sum();
    ensure!(
        placed.iter().all(|placed| placed.marked == placed.counted)
            && lost == frames - transmitted.left
            && lost > 0,
        "{placed:?}; {} left of {frames}; {:?}",
        transmitted.left,
        summary.lost
    );
    Ok(())
}

fn all_are_counted(
    transmitted: &Transmitted,
    frames: u64,
    way: &[(Domain, &[&str])],
) -> Result<()> {
    ensure!(
        (transmitted.sent.sent, transmitted.left) == (frames, frames)
            && transmitted.arrived.is_none_or(|arrived| arrived == frames),
        "{} left, {:?} arrived of {:?}",
        transmitted.left,
        transmitted.arrived,
        transmitted.sent
    );
    for (domain, names) in way {
        let mut stats = transmitted.stats.iter();
        let (_, stats) = stats
            .find(|(of, _)| of == domain)
            .with_context(|| format!("nothing of {domain}"))?;
        let report = layout::report(stats);
        for name in *names {
            let counted = stage(&report, name)?;
            ensure!(
                counted.count == frames && counted.exact && counted.missed == 0,
                "{domain}: {name} counted {} of {frames}, {} missed",
                counted.count,
                counted.missed
            );
        }
        taken_by_netback(&report, *domain, frames)?;
    }
    Ok(())
}

/// One call takes several.
fn taken_by_netback(report: &Report, domain: Domain, frames: u64) -> Result<()> {
    if domain != Domain::Dom0 {
        return Ok(());
    }
    let netback = stage(report, "tx_netback")?;
    ensure!(
        netback.work == frames && (1..=frames).contains(&netback.count),
        "netback took {} frames in {} calls, not {frames}",
        netback.work,
        netback.count
    );
    Ok(())
}
