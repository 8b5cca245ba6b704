// SPDX-License-Identifier: GPL-2.0

//! The flood: 10,000 frames as fast as they go, counted by xcap and by every hop's own counters.

use crate::labs::{On, World};
use crate::world::{receivers, reload_all, report, stage, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use serde_json::Value;
use std::time::Instant;
use xcap_machines::hops::{Counters, Hops};
use xcap_machines::scenario::{capturing_place, control, destination};
use xcap_machines::{Lab, Place};
use xcap_stats::report::StageReport;

const FRAMES: &str = "10000";

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe", "fprobe"] {
        let name = |place| format!("a_flood_is_counted_as_its_hops_count_it_{place}_{backend}");
        trials.push(world.trial(name("xen"), On::Xen, move |lab| counted(lab, backend)));
        trials.push(world.trial(name("bare"), On::Bare, move |lab| counted(lab, backend)));
    }
    trials
}

fn counted(lab: &Lab, backend: &str) -> Result<()> {
    reload_all(lab, backend)?;
    let hops = flood(lab)?;
    ensure!(hops.socket_packets > 0, "no frame came through: {hops:?}");
    for guest in receivers(lab) {
        let report = report(guest)?;
        let place = guest.name();
        for stage in &report.stages {
            complete(place, stage, backend)?;
        }
        let lost = report
            .stages
            .iter()
            .any(|stage| stage.missed_busy + stage.missed_pool > 0);
        let warned = report
            .warnings
            .iter()
            .any(|warning| warning.contains("calls missed"));
        ensure!(
            lost == warned,
            "{place}: calls were lost: {lost}; xcap-read warns of it: {warned}"
        );
    }
    let frames = |place, name, wanted| handled(lab, place, name, wanted);
    let capturing = capturing_place(lab);
    if lab.has(Place::Dom0) {
        let vif = hops.vif_tx.context("no counter of the vif")?;
        let dropped = hops.vif_dropped.context("no counter of the vif")?;
        polled(lab, Place::Dom0, hops.nic_rx)?;
        polled(
            lab,
            Place::DomU,
            hops.netfront_rx.context("no counter of netfront")?,
        )?;
        frames(Place::Dom0, "bridge", hops.nic_rx)?;
        frames(Place::Dom0, "netback", vif + dropped)?;
        frames(Place::Dom0, "copy", vif)?;
    } else {
        polled(lab, Place::Bare, hops.nic_rx)?;
    }
    frames(capturing, "deliver", hops.socket_packets)?;
    frames(capturing, "copy_user", hops.captured)
}

/// Nothing is lost in silence; by another backend than kretprobe nothing is lost at all.
fn complete(place: &str, stage: &StageReport, backend: &str) -> Result<()> {
    let name = &stage.stage;
    ensure!(stage.exact, "{place}: {name} is not exact after stop");
    ensure!(
        stage.entries == stage.count + stage.missed + stage.in_flight,
        "{place}: {name}: {} entries are not {} + {} missed + {} in flight",
        stage.entries,
        stage.count,
        stage.missed,
        stage.in_flight
    );
    let lost = stage.missed_busy + stage.missed_pool + stage.missed_negative;
    ensure!(
        lost == 0 || backend == "kretprobe",
        "{place}: {name} lost {lost} calls with {backend}"
    );
    Ok(())
}

fn handled(lab: &Lab, place: Place, name: &str, frames: u64) -> Result<()> {
    let report = report(lab.guest(place))?;
    let stage = stage(&report, name)?;
    let lost = stage.missed_busy + stage.missed_pool;
    ensure!(
        stage.count + lost == frames,
        "{place}: {name} counted {} and lost {lost}, its hop handled {frames}",
        stage.count
    );
    Ok(())
}

/// Frames that the driver's polls brought, where no poll was lost.
fn polled(lab: &Lab, place: Place, frames: u64) -> Result<()> {
    let report = report(lab.guest(place))?;
    let polls = stage(&report, "nic_poll")?;
    let whole = polls.missed == 0;
    ensure!(
        polls.work == frames || !whole && polls.work < frames,
        "{place}: nic_poll's work is {} ({} calls lost), the interface took {frames} frames",
        polls.work,
        polls.missed
    );
    Ok(())
}

/// Sends the frames and lets them all come through, xcap recording from the first to the last.
fn flood(lab: &Lab) -> Result<Hops> {
    let before = Counters::read(lab)?;
    let receive = ["xcap-recv", "-i", "eth0", "--json", "--buffer", "67108864"];
    let mut capturer = lab.guest(capturing_place(lab)).spawn(&receive)?;
    capturer.wait_for_line("ready", PATIENCE)?;
    for guest in receivers(lab) {
        control(guest, "reset")?;
    }
    let send = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        destination(lab),
        "--size",
        "64",
        "--wait",
        "0",
        "--count",
        FRAMES,
        "--json",
    ];
    let sent = lab.guest(Place::Sender).run(&send)?.ok("xcap-send")?;
    come_to_rest(lab)?;
    for guest in receivers(lab) {
        control(guest, "stop")?;
    }
    let after = Counters::read(lab)?;
    capturer.signal(nix::libc::SIGTERM)?;
    let captured: Value = serde_json::from_str(&capturer.wait(PATIENCE)?.ok("xcap-recv")?)?;
    let sent: Value = serde_json::from_str(&sent)?;
    let number = |value: &Value, key: &str| {
        value[key]
            .as_u64()
            .with_context(|| format!("no {key} in {value}"))
    };
    Ok(Hops {
        sent: number(&sent, "sent")?,
        socket_packets: number(&captured, "tp_packets")?,
        socket_drops: number(&captured, "tp_drops")?,
        captured: number(&captured, "captured")?,
        ..after.since(&before)
    })
}

/// Waits until no hop's counter moves and the socket is read empty.
fn come_to_rest(lab: &Lab) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let waiting = || -> Result<String> {
        // The bytes in the sockets' queues.
        let queued = "awk 'NR > 1 { bytes += $7 } END { print bytes + 0 }' /proc/net/packet";
        lab.guest(capturing_place(lab)).sh(queued)
    };
    let mut last = None;
    loop {
        let now = (Counters::glance(lab)?, waiting()?);
        if now.1.trim() == "0" && last.as_ref() == Some(&now) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "frames go on coming");
        last = Some(now);
    }
}
