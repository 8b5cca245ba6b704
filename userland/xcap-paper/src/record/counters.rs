// SPDX-License-Identifier: GPL-2.0

//! The kernel's counters of frames.

use std::fs;

use anyhow::{Context, Result};

use crate::part::Counters;

const NET: &str = "/sys/class/net";

/// Every counter of every interface, but for the loopback.
pub fn read() -> Result<Counters> {
    let mut counters = Counters::new();
    for interface in fs::read_dir(NET).context("cannot read /sys/class/net")? {
        let interface = interface?;
        let name = interface.file_name().to_string_lossy().into_owned();
        if name == "lo" {
            continue;
        }
        let statistics = interface.path().join("statistics");
        for counter in fs::read_dir(statistics).into_iter().flatten() {
            let counter = counter?;
            let text = fs::read_to_string(counter.path()).unwrap_or_default();
            if let Ok(value) = text.trim().parse() {
                let key = counter.file_name().to_string_lossy().into_owned();
                counters.entry(name.clone()).or_default().insert(key, value);
            }
        }
    }
    Ok(counters)
}

/// Something that changes whenever a frame moves: counters, and what packet sockets hold.
pub fn fingerprint() -> Result<(Counters, String)> {
    let sockets = fs::read_to_string("/proc/net/packet").unwrap_or_default();
    Ok((read()?, sockets))
}
