// SPDX-License-Identifier: GPL-2.0

//! A Debian on a disk, worked on from the lab's own system in a machine's initramfs.

use anyhow::Result;
use std::path::PathBuf;
use xcap_machines::{Config, Guest, Place};

/// Where it is in the guest.
pub const DEBIAN: &str = "/debian";

/// A bare machine with this disk, and without the lab's module.
pub fn machine(disk: PathBuf) -> Config {
    Config {
        load: false,
        disk: Some(disk),
        modules: ["virtio_blk", "ext4"].map(str::to_owned).to_vec(),
        ..Config::of([Place::Bare])
    }
}

/// Mounts it, with what the kernel shows to programs.
pub fn mount(guest: &Guest) -> Result<()> {
    guest
        .sh(&format!(
            "mkdir {DEBIAN} && mount -t ext4 /dev/vda {DEBIAN} && cd {DEBIAN} && \
             for dir in proc sys dev run; do mount --rbind /$dir $dir; done"
        ))
        .map(drop)
}
