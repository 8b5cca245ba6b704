// SPDX-License-Identifier: GPL-2.0

//! The sender inside the lab's emulator, as a machine of the study.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use xcap_frames::{MacAddr6, Sent, SentUntil, X25};
use xcap_machines::boot::wire::Wire;
use xcap_machines::image::guest::SENDER_MAC;
use xcap_wire::{gigabit_ns, Offer};

use super::recording::Recording;
use crate::format::FORMAT;
use crate::machine::Machine;
use crate::part::{OnWire, Part, Snapshot, Task};
use crate::role::Role;
use crate::scenario::Scenario;
use crate::settings::Settings;

/// What a sender's sleep of any length up to it lasted when the paper was written: until the next tick of a kernel
/// with 250 a second. The paper's own observation fits it: longer waits behave like one of 1 µs.
const TICK_NS: u64 = 4_000_000;

/// What the sender does besides sleeping. With it the frames meet the receiver's own ticks, of the same length, at
/// every phase.
const BETWEEN_SLEEPS_NS: u64 = 47_213;

/// How long the receiver is given for what is under way when the last frame was sent, and its instructions are counted:
/// in overload, the socket's queue holds frames for 40 ms more.
const SETTLE_NS: u64 = 100_000_000;

/// … where nobody records: longer than all its queues last.
pub const DRAINED_NS: u64 = 500_000_000;

/// From the beginning of one frame to that of the next, in the receiver's time: as fast as a gigabit wire carries
/// them, or a sleep apart.
pub fn gap_ns(scenario: Scenario) -> u64 {
    let wait_ns = u64::from(scenario.wait_us) * 1000;
    match wait_ns {
        0 => gigabit_ns(scenario.size),
        _ => wait_ns.next_multiple_of(TICK_NS) + BETWEEN_SLEEPS_NS,
    }
}

/// Sends the frames of `task`.
pub fn record(wire: &Wire, destination: &str, task: Task) -> Result<Box<dyn Recording>> {
    let began = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let offer = Offer {
        count: task.frames,
        gap_ns: task.gap_ns.unwrap_or_else(|| gap_ns(task.scenario)),
        settle_ns: match task.gap_ns {
            // A trial at a rate, of which all instructions are counted.
            Some(_) => DRAINED_NS,
            None => SETTLE_NS,
        },
        frame: frame(destination, task.scenario.size)?,
    };
    let offered = OnWire::from(wire.offer(&offer)?);
    let part = Part {
        format: FORMAT,
        task,
        role: Role::Sender,
        interface: "wire".into(),
        machine: machine(),
        began,
        before: Snapshot::default(),
        after: Snapshot::default(),
        sent: Some(sent(&offer, &offered, destination)),
        wire: Some(offered),
        captured: None,
        time: None,
        idle: None,
    };
    Ok(Box::new(Sending(serde_json::to_vec(&part)?)))
}

/// Addresses, ethertype, then bytes that count up: as xcap-send makes it.
pub fn frame(destination: &str, size: u16) -> Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(size.into());
    for address in [destination, SENDER_MAC] {
        let address: MacAddr6 = address.parse().map_err(|_| {
            anyhow::anyhow!("'{address}' is no hardware address, such as 52:54:00:00:00:02")
        })?;
        frame.extend(address.as_bytes());
    }
    frame.extend(X25.value().to_be_bytes());
    let payload = usize::from(size).saturating_sub(frame.len());
    frame.extend((0..=u8::MAX).cycle().take(payload));
    Ok(frame)
}

/// Its time is the receiver's.
fn sent(offer: &Offer, offered: &OnWire, destination: &str) -> Sent {
    let size = offer.frame.len() as u16;
    let rate = offered.rate().unwrap_or(0.0);
    Sent {
        interface: "wire".into(),
        source: SENDER_MAC.into(),
        destination: destination.into(),
        ethertype: X25.to_string(),
        size,
        wait_us: (offer.gap_ns - gigabit_ns(size).min(offer.gap_ns)) as f64 / 1e3,
        count: offer.count,
        sent: offered.offered,
        bytes: offered.offered * u64::from(size),
        numbered: true,
        retries: 0,
        seconds: (offered.last_ns - offered.first_ns) as f64 / 1e9,
        frames_per_second: rate,
        bits_per_second: rate * f64::from(size) * 8.0,
        stopped_by: SentUntil::Count,
    }
}

/// No machine of its own.
fn machine() -> Machine {
    Machine {
        kernel: String::new(),
        cpu: "none: the receiver's emulator sends (TCG)".into(),
        cpus: 0,
        vendor: None,
        xen: None,
        clocksource: None,
        tsc_flags: Vec::new(),
        driver: None,
        command_line: String::new(),
        settings: Settings::new(),
    }
}

struct Sending(Vec<u8>);

impl Recording for Sending {
    fn begun(&mut self) -> Result<()> {
        Ok(())
    }

    fn over(&mut self) -> Result<()> {
        Ok(())
    }

    fn part(self: Box<Self>) -> Result<Vec<u8>> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{PAPER, W0S0064, W0S1500, W1S0064};

    #[test]
    fn without_a_wait_frames_follow_each_other_on_a_gigabit_wire() {
        assert_eq!(gap_ns(W0S0064), 704);
        assert_eq!(gap_ns(W0S1500), 12_192);
    }

    #[test]
    fn a_sleep_of_any_length_ends_with_a_tick() {
        let longer = Scenario {
            wait_us: 3999,
            ..W1S0064
        };
        assert_eq!(gap_ns(W1S0064), gap_ns(longer));
        assert_eq!(gap_ns(W1S0064), 4_047_213);
    }

    #[test]
    fn a_frame_has_its_size_and_its_addresses() {
        for scenario in PAPER {
            let frame = frame("00:16:3e:00:00:01", scenario.size).unwrap();
            assert_eq!(frame.len(), usize::from(scenario.size));
            assert_eq!(frame[..6], [0, 0x16, 0x3e, 0, 0, 1]);
            assert_eq!(frame[12..14], [8, 5]);
        }
        assert!(frame("nobody", 64).is_err());
    }
}
