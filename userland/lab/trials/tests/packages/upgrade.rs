// SPDX-License-Identifier: GPL-2.0

//! A Debian whose init is systemd gets xcap from the repository, uses it as a service, and goes on to the next kernel:
//! xcap is there again; purged, nothing is left.
//!
//! apt is run natively, in a chroot on the tree that the machine's disk is made of, but for the purge: that is in the
//! running machine. It starts by its own initramfs, as Debian makes it.

use crate::machine::{is_well, source, started};
use crate::tree::Tree;
use anyhow::{ensure, Result};
use xcap_machines::boot::system::System;
use xcap_machines::cache::Cache;
use xcap_machines::package::made;
use xcap_machines::provide::apt::{keyring, mirror};
use xcap_machines::provide::disk;
use xcap_machines::provide::kernel::{Kernel, SUITES};
use xcap_machines::{package, Config, Guest, Lab, Materials, Place};
use xcap_trials::capture::count_frames;

/// The suite that packages for both kernels are in, of xcap's repository.
const SUITE: &str = "stable";

/// What an installation may leave behind, by name.
const FILES: &str =
    "find / -xdev -name '*xcap*' | grep -Ev '^/(tmp|var/(cache|log|lib/apt))/' || true";

/// Where Debian's node_exporter looks for what the timer writes.
const METRICS: &str = "/var/lib/prometheus/node-exporter";

#[test]
#[ignore = "starts machines from disks: minutes; needs root"]
fn a_debian_with_systemd_has_xcap_again_with_its_next_kernel() {
    upgrade().unwrap();
}

fn upgrade() -> Result<()> {
    let [older, newer] = kernels()?;
    let tree = Tree::over(&older.cache, &disk::root(&older.cache, &older.kernel)?)?;
    tree.add_source("packages", &source(SUITE))?;
    // As people's systems are, which documentation is installed on.
    tree.sh("rm /etc/dpkg/dpkg.cfg.d/99mmdebstrap")?;

    offer(&older, &tree)?;
    tree.sh("apt-get install --yes -o APT::Install-Recommends=true xcap")?;
    in_machine(&older, &tree, |guest| {
        service(guest)?;
        timer(guest)
    })?;

    tree.sh("systemctl enable xcap")?;
    let suite = newer.kernel.suite()?;
    let debian = format!("deb {} {} {suite} main", keyring(), mirror()?);
    tree.add_source("newer", &debian)?;
    offer(&newer, &tree)?;
    let said = tree.sh("apt-get install --yes --only-upgrade xcap-modules-amd64")?;
    let image = format!("linux-image-{}", newer.kernel.release);
    ensure!(said.contains(&image), "{image} didn't come along:\n{said}");
    in_machine(&newer, &tree, |guest| {
        there_again(guest)?;
        purge(guest, [&older.kernel.release, &newer.kernel.release])
    })
}

/// Debian's newest kernels with Rust, of two suites: the older one first.
fn kernels() -> Result<[Materials; 2]> {
    let mut kernels = Vec::new();
    for suite in SUITES {
        let cache = Cache::open()?;
        let kernel = Kernel::ensure(&cache, Some(suite))?;
        kernels.push((version(&kernel.release), kernel));
    }
    kernels.sort_by(|one, other| one.0.cmp(&other.0));
    let [(old, older), (new, newer)] = <[_; 2]>::try_from(kernels).expect("there are two suites");
    ensure!(
        old < new,
        "{} have the same kernel, {}: there is none to go on to",
        SUITES.join(" and "),
        newer.release
    );
    Ok([
        Materials::with_kernel(Cache::open()?, older)?,
        Materials::with_kernel(Cache::open()?, newer)?,
    ])
}

/// `7`, `3`, `4` of `7.3.4+deb13-amd64`.
fn version(release: &str) -> Vec<u32> {
    let numbers = release.split(['+', '-']).next().unwrap_or(release);
    numbers.split('.').map_while(|n| n.parse().ok()).collect()
}

/// The repository has packages for this kernel, too.
fn offer(materials: &Materials, tree: &Tree) -> Result<()> {
    made::repository(materials, SUITE, tree.folder(), &tree.repository())?;
    tree.sh("apt-get update").map(drop)
}

fn in_machine(
    materials: &Materials,
    tree: &Tree,
    act: impl FnOnce(&Guest) -> Result<()>,
) -> Result<()> {
    let release = &materials.kernel.release;
    let tools = package::root(&materials.cache)?;
    let system: System = tree.system(&tools, &materials.program("xcap-guest")?, release)?;
    let config = Config {
        memory_mib: 2048,
        ..Config::of([Place::Bare])
    };
    let mut lab = Lab::boot_system(materials, &config, &system)?;
    let outcome =
        started(lab.guest(Place::Bare), release).and_then(|()| act(lab.guest(Place::Bare)));
    lab.judged(outcome)
}

/// Nothing loads xcap unasked; the service loads and unloads it.
fn service(guest: &Guest) -> Result<()> {
    ensure!(
        state(guest)? == "disabled inactive unloaded",
        "{}",
        state(guest)?
    );
    guest.sh("systemctl start xcap")?;
    ensure!(
        state(guest)? == "disabled active loaded",
        "{}",
        state(guest)?
    );
    count_frames(guest, "/")?;
    guest.sh("systemctl restart xcap && systemctl stop xcap")?;
    ensure!(
        state(guest)? == "disabled inactive unloaded",
        "{}",
        state(guest)?
    );
    guest.sh("systemctl enable --now xcap")?;
    ensure!(
        state(guest)? == "enabled active loaded",
        "{}",
        state(guest)?
    );
    is_well(guest)
}

/// Whether the service is enabled and active, and the module loaded.
fn state(guest: &Guest) -> Result<String> {
    let said = guest.sh(
        "systemctl is-enabled xcap || true; systemctl is-active xcap || true; \
         [ -e /sys/module/xcap ] && echo loaded || echo unloaded",
    )?;
    Ok(said.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// As docs/metrics.md says, of what the package brings: it writes of itself, with xcap and without.
fn timer(guest: &Guest) -> Result<()> {
    guest.sh(&format!(
        "mkdir -p {METRICS}; cp /usr/share/doc/xcap/examples/metrics/xcap-textfile.* /etc/systemd/system/; \
         systemctl daemon-reload; systemctl enable --now xcap-textfile.timer"
    ))?;
    let wait_for = |text: &str| {
        guest.sh(&format!(
            "timeout 120 sh -c 'until grep \"{text}\" {METRICS}/xcap.prom; do sleep 1; done'"
        ))
    };
    wait_for("^xcap_up 1")?;
    guest.sh("systemctl stop xcap")?;
    wait_for("^xcap_up 0")?;
    is_well(guest)
}

/// It was enabled before: it is loaded, and counts.
fn there_again(guest: &Guest) -> Result<()> {
    ensure!(
        state(guest)? == "enabled active loaded",
        "{}",
        state(guest)?
    );
    count_frames(guest, "/")
}

/// Of the running machine, which unloads the module.
fn purge(guest: &Guest, releases: [&str; 2]) -> Result<()> {
    guest.sh("DEBIAN_FRONTEND=noninteractive apt-get purge --yes 'xcap*' 2>&1")?;
    let left = guest.sh(FILES)?;
    ensure!(left.is_empty(), "purged, but not gone:\n{left}");
    for release in releases {
        guest.sh(&format!("! grep xcap /lib/modules/{release}/modules.*"))?;
    }
    guest.sh("[ ! -e /sys/module/xcap ]; ! modprobe xcap")?;
    let units = guest.sh("systemctl list-unit-files --no-legend 'xcap*' || true")?;
    ensure!(units.is_empty(), "systemd still knows of {units}");
    is_well(guest)
}
