// SPDX-License-Identifier: GPL-2.0

//! How many frames each hop between two machines handled and lost, from the hop's own counters.

use crate::boot::lab::Lab;
use crate::place::Place;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of one run. A hop that this kind of lab hasn't got is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hops {
    pub sent: u64,
    /// Frames that the receiving machine's card took.
    pub nic_rx: u64,
    /// Frames for which the card had no room.
    pub nic_missed: u64,
    pub nic_dropped: u64,
    /// Frames that the bridge gave to the domU's interface: all that its queue and itself took or dropped.
    pub bridge_forwarded: Option<u64>,
    pub vif_queue_dropped: Option<u64>,
    pub vif_tx: Option<u64>,
    pub vif_dropped: Option<u64>,
    pub netfront_rx: Option<u64>,
    pub netfront_dropped: Option<u64>,
    /// Frames that the capturer's socket was given.
    pub socket_packets: u64,
    pub socket_drops: u64,
    pub captured: u64,
}

impl Hops {
    /// Where frames were lost, and how many.
    pub fn losses(&self) -> Vec<(&'static str, u64)> {
        let all = [
            ("NIC missed", self.nic_missed),
            ("NIC dropped", self.nic_dropped),
            ("vif queue dropped", self.vif_queue_dropped.unwrap_or(0)),
            ("vif dropped", self.vif_dropped.unwrap_or(0)),
            ("netfront dropped", self.netfront_dropped.unwrap_or(0)),
            ("socket dropped", self.socket_drops),
        ];
        all.into_iter().filter(|(_, lost)| *lost > 0).collect()
    }

    /// Frames of which no counter says where they went; negative where more came than were sent.
    pub fn unaccounted(&self) -> i64 {
        let lost: u64 = self.losses().iter().map(|(_, lost)| lost).sum();
        self.sent as i64 - self.captured as i64 - lost as i64
    }
}

/// The counters of a receiving side's interfaces at one moment, by `place/interface/counter`.
#[derive(Clone, Debug, PartialEq)]
pub struct Counters(BTreeMap<String, u64>);

const READ: &str = include_str!("../guest/counters");
const QUEUES: &str = include_str!("../guest/queue-counters");

impl Counters {
    /// All counters.
    pub fn read(lab: &Lab) -> Result<Self> {
        Self::run(lab, &format!("{READ}\n{QUEUES}"))
    }

    /// Those that can be read without the functions that xcap times.
    pub fn glance(lab: &Lab) -> Result<Self> {
        Self::run(lab, READ)
    }

    fn run(lab: &Lab, script: &str) -> Result<Self> {
        let mut counters = BTreeMap::new();
        for (place, guest) in lab.guests() {
            if place == Place::Sender {
                continue;
            }
            for line in guest.sh(script)?.lines() {
                let mut words = line.split_whitespace();
                let (Some(interface), Some(counter), Some(value)) =
                    (words.next(), words.next(), words.next())
                else {
                    continue;
                };
                let value = value
                    .parse()
                    .with_context(|| format!("counter {counter} of {place} is no number"))?;
                counters.insert(format!("{place}/{interface}/{counter}"), value);
            }
        }
        Ok(Self(counters))
    }

    /// What the hops counted from `before` until now.
    pub fn since(&self, before: &Self) -> Hops {
        let grown = |name: &str| {
            let now = self.0.get(name)?;
            Some(now - before.0.get(name).copied().unwrap_or(0).min(*now))
        };
        let receiver = if self.0.keys().any(|name| name.starts_with("dom0/")) {
            "dom0"
        } else {
            "bare"
        };
        let nic = |counter: &str| grown(&format!("{receiver}/eth/{counter}")).unwrap_or(0);
        let vif_tx = grown("dom0/vif/tx_packets");
        let vif_dropped = grown("dom0/vif/tx_dropped");
        let vif_queue_dropped = grown("dom0/vif/queue_dropped");
        Hops {
            nic_rx: nic("rx_packets"),
            nic_missed: nic("rx_missed_errors"),
            nic_dropped: nic("rx_dropped"),
            bridge_forwarded: vif_tx
                .zip(vif_dropped)
                .map(|(sent, dropped)| sent + dropped + vif_queue_dropped.unwrap_or(0)),
            vif_queue_dropped,
            vif_tx,
            vif_dropped,
            netfront_rx: grown("domU/eth/rx_packets"),
            netfront_dropped: grown("domU/eth/rx_dropped"),
            ..Hops::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(pairs: &[(&str, u64)]) -> Counters {
        Counters(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        )
    }

    #[test]
    fn hops_are_differences_and_say_where_frames_went() {
        let before = counters(&[("dom0/eth/rx_packets", 5), ("dom0/vif/tx_packets", 7)]);
        let after = counters(&[
            ("dom0/eth/rx_packets", 105),
            ("dom0/vif/tx_packets", 97),
            ("dom0/vif/tx_dropped", 9),
            ("dom0/vif/queue_dropped", 1),
            ("domU/eth/rx_packets", 90),
        ]);
        let hops = Hops {
            sent: 100,
            captured: 88,
            socket_drops: 1,
            ..after.since(&before)
        };
        assert_eq!(
            (hops.nic_rx, hops.bridge_forwarded, hops.netfront_rx),
            (100, Some(100), Some(90))
        );
        assert_eq!(
            hops.losses(),
            [
                ("vif queue dropped", 1),
                ("vif dropped", 9),
                ("socket dropped", 1)
            ]
        );
        assert_eq!(hops.unaccounted(), 1);
    }

    #[test]
    fn a_lab_without_xen_has_no_vif() {
        let hops = counters(&[("bare/eth/rx_packets", 3)]).since(&counters(&[]));
        assert_eq!(
            (hops.nic_rx, hops.vif_tx, hops.bridge_forwarded),
            (3, None, None)
        );
    }
}
