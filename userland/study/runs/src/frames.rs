// SPDX-License-Identifier: GPL-2.0

//! Where the frames of a run went: frames.json.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_abi::stage::Stage;

use crate::format::FORMAT;
use crate::part::{OnWire, Part, Parts, SOFTNET};
use crate::role::Role;
use crate::run_id::{Domain, RunId};

/// A place that frames come to, and what it let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    pub hop: String,
    /// The machine that counted.
    pub machine: Role,
    /// Frames that came here.
    pub came: u64,
    /// Frames that it dropped by its own counters, by counter.
    pub dropped: BTreeMap<String, u64>,
    /// Counters that a machine of this kind has and this one hasn't: what they would count is in `unaccounted` of the
    /// next hop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<String>,
    /// Frames that went on: `came` less all of `dropped`.
    pub passed: u64,
    /// What the hop before let pass, less `came`: below 0, frames that weren't ours.
    pub unaccounted: i64,
    /// Whose counters these are.
    pub source: String,
}

/// All of a run's frames, hop by hop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frames {
    pub format: u32,
    pub run: RunId,
    /// Frames that were to be sent.
    pub frames: u64,
    pub hops: Vec<Hop>,
    pub sent: u64,
    pub captured: u64,
    /// Frames a second that were put on the wire, by the receiver's clock where the sender has it; none: only one.
    #[serde(default)]
    pub offered_per_second: Option<f64>,
    /// The greatest disagreement between two neighbours' counters.
    pub unaccounted: i64,
    /// Size of the socket's buffer.
    pub buffer_bytes: u64,
}

impl Hop {
    pub fn lost(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// What it dropped, each with a word for who reads it.
    pub fn losses(&self) -> impl Iterator<Item = (u64, String)> + '_ {
        let place = match self.hop.as_str() {
            "nic" => "NIC",
            hop => hop,
        };
        self.dropped.iter().map(move |(counter, &lost)| {
            let words = match counter.as_str() {
                "queue_dropped" => format!("{place} queue"),
                "softnet_dropped" => format!("{place} backlog"),
                "rx_missed_errors" => format!("{place} missed"),
                "rx_crc_errors" | "rx_length_errors" | "rx_errors" => format!("{place} errors"),
                "unread" => format!("{place} unread"),
                _ => place.to_owned(),
            };
            (lost, words)
        })
    }
}

impl Frames {
    pub fn hop(&self, name: &str) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.hop == name)
    }

    /// Frames that came to a domain and that it had room for.
    pub fn at(&self, domain: Domain) -> u64 {
        let hop = match domain {
            Domain::DomU => "netfront",
            _ => "nic",
        };
        self.hop(hop).map_or(0, |hop| hop.passed)
    }
}

/// Follows the frames through the machines' counters.
pub fn account(run: RunId, parts: &Parts) -> Result<Frames, String> {
    let part = |role: Role| {
        parts
            .get(&role)
            .ok_or_else(|| format!("{run}: no part of {role}"))
    };
    let sender = part(Role::Sender)?;
    let said = sender.sent.as_ref();
    let said = said.ok_or_else(|| format!("{run}: the sender says nothing"))?;
    let sent = said.sent;
    let mut hops = vec![hop("sent", Role::Sender, sent, &[], "xcap-send")];
    hops.extend(sender.wire.map(wire));
    let capturing = if run.environment.is_xen() {
        let (dom0, domu) = (part(Role::DOM0)?, part(Role::DOMU)?);
        hops.push(nic(dom0)?);
        hops.extend(bridge(dom0));
        hops.extend(vif(dom0));
        hops.push(netfront(domu)?);
        domu
    } else {
        let bare = part(Role::BARE)?;
        hops.push(nic(bare)?);
        bare
    };
    let captured = capturing
        .captured
        .as_ref()
        .ok_or_else(|| format!("{run}: {} says nothing of a capture", capturing.role))?;
    let dropped = [
        ("tp_drops".to_owned(), Some(captured.tp_drops)),
        ("unread".to_owned(), Some(captured.unread)),
    ];
    let (role, came) = (capturing.role, captured.tp_packets);
    hops.push(hop("socket", role, came, &dropped, "PACKET_STATISTICS"));
    hops.push(hop("captured", role, captured.captured, &[], "xcap-recv"));
    for at in 1..hops.len() {
        hops[at].unaccounted = hops[at - 1].passed as i64 - hops[at].came as i64;
    }
    Ok(Frames {
        format: FORMAT,
        run,
        frames: sender.task.frames,
        sent,
        captured: captured.captured,
        offered_per_second: (sent > 1).then_some(said.frames_per_second),
        unaccounted: hops
            .iter()
            .map(|hop| hop.unaccounted)
            .max_by_key(|n| n.abs())
            .unwrap_or(0),
        buffer_bytes: captured.buffer_bytes,
        hops,
    })
}

/// Frames that one counter lost; none: there is no such counter.
type Drop = (String, Option<u64>);

fn hop(name: &str, machine: Role, came: u64, drops: &[Drop], source: &str) -> Hop {
    let counted = drops
        .iter()
        .filter_map(|(counter, lost)| Some((counter.clone(), (*lost)?)));
    let dropped: BTreeMap<_, _> = counted.filter(|(_, lost)| *lost > 0).collect();
    let not_counted = drops.iter().filter(|(_, lost)| lost.is_none());
    Hop {
        hop: name.into(),
        machine,
        came,
        passed: came.saturating_sub(dropped.values().sum()),
        dropped,
        not_counted: not_counted.map(|(counter, _)| counter.clone()).collect(),
        unaccounted: 0,
        source: source.into(),
    }
}

fn statistics(interface: &str) -> String {
    format!("{interface}/statistics")
}

fn drops(part: &Part, interface: &str, counters: &[&str]) -> Vec<Drop> {
    let grown = |counter: &&str| ((*counter).to_owned(), part.grown(interface, counter));
    counters.iter().map(grown).collect()
}

fn sum(drops: &[Drop]) -> u64 {
    drops.iter().filter_map(|(_, lost)| *lost).sum()
}

/// What a hop can't do without.
fn needed(part: &Part, interface: &str, counter: &str) -> Result<u64, String> {
    part.grown(interface, counter).ok_or_else(|| {
        format!(
            "{}: no counter {counter} of interface '{interface}', before and after: was it there all the time?",
            part.role
        )
    })
}

/// The cable, where frames that come while the card has no room are lost.
fn wire(offered: OnWire) -> Hop {
    let lost = [("no_room".to_owned(), Some(offered.lost))];
    hop(
        "wire",
        Role::Sender,
        offered.offered,
        &lost,
        "the emulator's cable",
    )
}

/// The card: what it got, and what it missed for want of room.
fn nic(part: &Part) -> Result<Hop, String> {
    let card = &part.interface;
    let before = ["rx_missed_errors", "rx_crc_errors", "rx_length_errors"];
    let mut dropped = drops(part, card, &before);
    let came = needed(part, card, "rx_packets")? + sum(&dropped);
    dropped.extend(drops(part, card, &["rx_dropped"]));
    let backlog = part.grown(SOFTNET, "dropped");
    dropped.push(("softnet_dropped".into(), backlog));
    Ok(hop("nic", part.role, came, &dropped, &statistics(card)))
}

/// Frames that the bridge took: it has no counter of its own, but xcap counts its calls.
fn bridge(dom0: &Part) -> Option<Hop> {
    let measured = dom0.measured().ok()?;
    let stage = measured
        .stages
        .iter()
        .find(|stage| stage.stage == Stage::Bridge.word())?;
    stage.function.as_ref()?;
    Some(hop(
        Stage::Bridge.word(),
        dom0.role,
        stage.entries,
        &[],
        "xcap's stage bridge",
    ))
}

/// The guest's interface in dom0, with the queue before it: the one that most was sent to, if
/// there are several. What netback gave up because the guest took too long is its `rx_dropped`.
fn vif(dom0: &Part) -> Option<Hop> {
    let counters = ["tx_packets", "tx_dropped", "rx_dropped", "queue_dropped"];
    let came = |vif: &String| sum(&drops(dom0, vif, &counters));
    let vifs = dom0
        .after
        .counters
        .keys()
        .filter(|name| name.starts_with("vif"));
    let vif = vifs.max_by_key(|vif| came(vif))?;
    let dropped = drops(dom0, vif, &counters[1..]);
    let source = format!("{}, its queue", statistics(vif));
    Some(hop("vif", dom0.role, came(vif), &dropped, &source))
}

/// The guest's own interface.
fn netfront(domu: &Part) -> Result<Hop, String> {
    let interface = &domu.interface;
    let dropped = drops(domu, interface, &["rx_dropped", "rx_errors"]);
    let came = needed(domu, interface, "rx_packets")? + domu.own("rx_errors").unwrap_or(0);
    Ok(hop(
        "netfront",
        domu.role,
        came,
        &dropped,
        &statistics(interface),
    ))
}
