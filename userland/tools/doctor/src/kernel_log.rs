// SPDX-License-Identifier: GPL-2.0

//! What the kernel said when the module was to be loaded.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;

use crate::host::Host;

/// More than any of the kernel's records takes.
const RECORD: usize = 8192;

/// Of lines on modules in general, those that say that one was refused.
const REFUSALS: [&str; 4] = [
    "unsigned module loading is restricted",
    "Loading of unsigned module is rejected",
    "Loading of module with unavailable key is rejected",
    "Key was rejected by service",
];

/// The last line of the kernel's log that says why the module could not be loaded; root's alone to read.
pub fn last_refusal(host: &Host) -> Option<String> {
    let mut log = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(host.path("/dev/kmsg"))
        .ok()?;
    let mut last = None;
    let mut record = vec![0; RECORD];
    // One record a read; none is left when it would block.
    while let Ok(length @ 1..) = log.read(&mut record) {
        let text = String::from_utf8_lossy(&record[..length]);
        let line = text.split_once(';').map_or(&*text, |(_, line)| line);
        let line = line.lines().next().unwrap_or_default();
        if is_refusal(line) {
            last = Some(line.to_owned());
        }
    }
    last
}

fn is_refusal(line: &str) -> bool {
    let ours = line.starts_with("xcap: ")
        && ["version magic", "Unknown symbol", "disagrees about version"]
            .iter()
            .any(|what| line.contains(what));
    ours || REFUSALS.iter().any(|refusal| line.contains(refusal))
}
