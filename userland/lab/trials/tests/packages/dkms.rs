// SPDX-License-Identifier: GPL-2.0

//! xcap-dkms on a Debian with a kernel's headers: apt installs it, DKMS builds the module, a machine loads it, and
//! purged, nothing is left.
//!
//! apt and DKMS are run natively, in a chroot on the tree that the machine's disk is then made of: a kernel's Rust
//! metadata takes minutes as it is, many more in emulation. The machine runs the kernel of that tree, and loads and
//! runs nothing of xcap's but what apt and DKMS have put there.

use crate::tree::Tree;
use anyhow::{ensure, Context, Result};
use std::path::PathBuf;
use xcap_machines::{package, Guest, Lab, Materials, Place};
use xcap_trials::capture::count_frames;
use xcap_trials::debian::{self, DEBIAN};

#[test]
#[ignore = "builds a kernel's metadata: minutes; needs root"]
fn dkms_builds_a_module_that_its_kernel_loads_and_purged_it_leaves_nothing() {
    dkms().unwrap();
}

fn dkms() -> Result<()> {
    let materials = Materials::prepare(None)?;
    let release = &materials.kernel.release;
    let tree = Tree::with_packages(&materials, &materials.kernel.root)?;
    let source = materials.kernel.source_package();
    as_packaged(&tree, &source, release)?;
    tree.sh("apt-get update")?;
    let before = files(&tree)?;
    install(&tree, &source, release)?;
    in_machine(&materials, tree.disk(&package::root(&materials.cache)?)?)?;
    purge(&tree, &source, release)?;
    let after = files(&tree)?;
    let left: Vec<_> = after
        .lines()
        .filter(|file| !before.lines().any(|known| known == *file))
        .collect();
    ensure!(left.is_empty(), "purged, but not gone: {left:#?}");
    Ok(())
}

/// The lab has added Rust metadata to the root's headers: the tree's are to be what Debian's packages hold.
fn as_packaged(tree: &Tree, source: &str, release: &str) -> Result<()> {
    tree.sh(&format!("dpkg --purge {source}"))?;
    tree.sh(&format!(
        "packages=$(dpkg-query -W -f '${{Package}}\\n' 'linux-headers-*' 'linux-kbuild-*'); \
         dpkg -L $packages | sort -u >/tmp/owned; \
         find /usr/src/linux-headers-* /usr/src/linux-kbuild-* /usr/lib/linux-kbuild-* -not -type d | sort | \
             comm -23 - /tmp/owned | xargs --no-run-if-empty rm -v; rm /tmp/owned; \
         changed=$(dpkg --verify $packages | grep -v /usr/share/ || true); \
         [ -z \"$changed\" ] || {{ echo \"$changed\"; exit 1; }}; \
         [ ! -e /usr/src/linux-headers-{release}/rust/libkernel.rmeta ]"
    ))?;
    Ok(())
}

/// What an installation of xcap may leave behind, by name: what is named after it, and what DKMS and the kernel's
/// folder hold.
fn files(tree: &Tree) -> Result<String> {
    tree.sh(
        "find /etc /usr /var /opt /root /boot | grep -Ev '^/var/(cache|log|lib/(dpkg|apt))/' | \
         grep -E 'xcap|^/var/lib/dkms/[^/]*/|^/usr/lib/modules/[^/]*/updates|^/usr/src/' | sort",
    )
}

/// Without its source the kernel is skipped, with the line that says what to install; and that is enough.
fn install(tree: &Tree, source: &str, release: &str) -> Result<()> {
    let said = tree.sh("apt-get install --yes --no-install-recommends xcap xcap-dkms openssl")?;
    ensure!(
        said.contains(&format!("xcap: apt install {source}")),
        "not said what is missing: {said}"
    );
    let said = tree.sh(&format!(
        "apt-get install --yes --no-install-recommends {source}; dkms autoinstall -k {release}"
    ))?;
    let status = tree.sh(&format!("dkms status -k {release}"))?;
    ensure!(
        status.contains("xcap/") && status.contains("installed"),
        "DKMS says '{status}' after this:\n{said}"
    );
    let made = tree.sh(&format!(
        "ls /var/lib/xcap-dkms/{release}/rust/libkernel.rmeta; modinfo -k {release} -F filename xcap; \
         modinfo -k {release} -F signer xcap"
    ))?;
    ensure!(made.contains("/updates/dkms/xcap.ko"), "not DKMS's: {made}");
    ensure!(made.contains("DKMS"), "not signed by DKMS: {made}");
    println!("installed: {}\n{made}", status.trim());
    Ok(())
}

fn in_machine(materials: &Materials, disk: PathBuf) -> Result<()> {
    let mut lab = Lab::boot(materials, &debian::machine(disk))?;
    let outcome = in_use(lab.guest(Place::Bare), &materials.kernel.release);
    lab.judged(outcome)
}

/// Frames of the machine to itself, by the installed programs and the installed module alone.
fn in_use(guest: &Guest, release: &str) -> Result<()> {
    debian::mount(guest)?;
    let sh = |script: &str| guest.sh(&format!("chroot {DEBIAN} bash -ec '{script}'"));
    let running = sh("uname -r")?;
    ensure!(running.trim() == release, "the machine runs {running}");
    sh("modprobe xcap")?;
    count_frames(guest, DEBIAN)?;
    println!("{}", sh("xcap-read")?);
    sh("modprobe --remove xcap")?;
    Ok(())
}

/// The kernel's source goes, too: it came for xcap.
fn purge(tree: &Tree, source: &str, release: &str) -> Result<()> {
    tree.sh(&format!(
        "apt-get purge --yes xcap xcap-dkms; apt-get purge --yes {source}"
    ))?;
    let gone = tree.sh(&format!("! modinfo -k {release} xcap"))?;
    ensure!(gone.contains("not found"), "modinfo said {gone}");
    tree.sh(&format!("! grep xcap /lib/modules/{release}/modules.*"))
        .map(drop)
        .context("still among the kernel's modules")
}
