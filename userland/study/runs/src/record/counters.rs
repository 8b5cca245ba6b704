// SPDX-License-Identifier: GPL-2.0

//! The kernel's counters of frames.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::part::{Counters, SOFTNET};

const NET: &str = "/sys/class/net";

/// The names of all interfaces but for the loopback.
pub fn interfaces() -> Result<impl Iterator<Item = String>> {
    let all = fs::read_dir(NET).context("cannot read /sys/class/net")?;
    let names = all.filter_map(|one| Some(one.ok()?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| name != "lo"))
}

/// Every counter of every interface, but for the loopback.
pub fn read() -> Result<Counters> {
    let mut counters = Counters::new();
    for name in interfaces()? {
        let statistics = Path::new(NET).join(&name).join("statistics");
        for counter in fs::read_dir(statistics).into_iter().flatten() {
            let counter = counter?;
            let text = fs::read_to_string(counter.path()).unwrap_or_default();
            if let Ok(value) = text.trim().parse() {
                let key = counter.file_name().to_string_lossy().into_owned();
                counters.entry(name.clone()).or_default().insert(key, value);
            }
        }
    }
    if let Some(softnet) =
        softnet(&fs::read_to_string("/proc/net/softnet_stat").unwrap_or_default())
    {
        counters.insert(SOFTNET.into(), softnet);
    }
    Ok(counters)
}

/// What the CPUs' backlogs had no room for, and how often a softirq ended before its work did. A line a CPU,
/// hexadecimal.
fn softnet(text: &str) -> Option<BTreeMap<String, u64>> {
    let column = |at: usize| {
        let mut lines = text.lines();
        lines.try_fold(0, |sum, line| {
            let word = line.split_whitespace().nth(at)?;
            Some(sum + u64::from_str_radix(word, 16).ok()?)
        })
    };
    let each = [("dropped", column(1)?), ("time_squeeze", column(2)?)];
    let each = each.map(|(name, count)| (name.to_owned(), count));
    (!text.is_empty()).then(|| each.into())
}

/// What the queues before guests' interfaces dropped: no interface counts it. Asking takes
/// functions that xcap times, so it's to be asked while xcap doesn't record.
pub fn add_queues(counters: &mut Counters) {
    for (interface, counters) in counters {
        if interface.starts_with("vif") {
            if let Some(dropped) = queue_dropped(interface) {
                counters.insert("queue_dropped".into(), dropped);
            }
        }
    }
}

/// Takes over what another reading has of queues.
pub fn take_queues(counters: &mut Counters, reading: &Counters) {
    for (interface, counters) in counters {
        let dropped = reading
            .get(interface)
            .and_then(|reading| reading.get("queue_dropped"));
        if let Some(dropped) = dropped {
            counters.insert("queue_dropped".into(), *dropped);
        }
    }
}

fn queue_dropped(interface: &str) -> Option<u64> {
    // By its path: a shell's own `tc` may know no counters.
    let tc = ["/usr/sbin/tc", "/sbin/tc"]
        .into_iter()
        .find(|path| Path::new(path).exists())?;
    let said = Command::new(tc)
        .args(["-s", "qdisc", "show", "dev", interface])
        .output()
        .ok()?;
    parse_dropped(&String::from_utf8_lossy(&said.stdout))
}

/// The first queue's: those of its parts are in it.
fn parse_dropped(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("(dropped ")?;
    rest.split(',').next()?.trim().parse().ok()
}

/// Something that changes whenever a frame moves: counters, and what packet sockets hold.
pub fn fingerprint() -> Result<(Counters, String)> {
    let sockets = fs::read_to_string("/proc/net/packet").unwrap_or_default();
    Ok((read()?, sockets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_drops_are_found() {
        let said = "qdisc pfifo_fast 0: root refcnt 2 bands 3\n Sent 128 bytes 2 pkt (dropped 17, overlimits 0 requeues 0)\n backlog 0b 0p requeues 0\n";
        assert_eq!(parse_dropped(said), Some(17));
        assert_eq!(parse_dropped("qdisc noqueue 0: root\n"), None);
    }

    #[test]
    fn backlogs_of_all_cpus_are_added() {
        let text = "0000a1b2 00000010 00000003 00000000\n00000001 00000002 00000000 00000000\n";
        let counters = softnet(text).unwrap();
        assert_eq!((counters["dropped"], counters["time_squeeze"]), (0x12, 3));
        assert_eq!(softnet(""), None);
        assert_eq!(softnet("a kernel of another kind\n"), None);
    }
}
