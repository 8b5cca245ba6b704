// SPDX-License-Identifier: GPL-2.0

//! A machine with Secure Boot whose owner doesn't know of xcap: its module is refused, and the request to trust it is
//! where the boot loader's menu will find it. Confirming it there takes somebody at the keyboard: that isn't tried.

use crate::machine::source;
use crate::tree::Tree;
use anyhow::{ensure, Result};
use xcap_machines::package::keys::Keys;
use xcap_machines::package::{made, secure_boot};
use xcap_machines::provide::disk;
use xcap_machines::{package, Config, Guest, Lab, Materials, Place};

#[test]
#[ignore = "needs root"]
fn secure_boot_refuses_a_module_whose_key_mokutil_can_import() {
    refused_until_imported().unwrap();
}

fn refused_until_imported() -> Result<()> {
    let materials = Materials::prepare(None)?;
    let Materials { cache, kernel, .. } = &materials;
    let tree = Tree::over(cache, &disk::root(cache, kernel)?)?;
    let suite = kernel.suite()?;
    made::repository(&materials, suite, tree.folder(), &tree.repository())?;
    tree.add_source("packages", &source(suite))?;
    tree.sh(
        "apt-get update && apt-get install --yes -o APT::Install-Recommends=true xcap mokutil",
    )?;
    let tools = package::root(cache)?;
    let owner = Keys::ensure(&tools, &cache.path("keys/owner"))?;
    let config = Config {
        load: false,
        disk: Some(tree.disk(&tools)?),
        firmware: Some(secure_boot::ensure(cache, kernel, &owner)?),
        modules: ["virtio_blk", "ext4", "efivarfs"]
            .map(str::to_owned)
            .to_vec(),
        ..Config::of([Place::Bare])
    };
    let mut lab = Lab::boot(&materials, &config)?;
    let outcome = import(lab.guest(Place::Bare), &kernel.release);
    outcome
        .and_then(|()| lab.logs().check())
        .map_err(|e| lab.explain(e))
}

fn import(guest: &Guest, release: &str) -> Result<()> {
    guest.sh("mkdir /debian && mount -t ext4 /dev/vda /debian && \
         mount -t efivarfs efivarfs /sys/firmware/efi/efivars && cd /debian && \
         for dir in proc sys dev run; do mount --rbind /$dir $dir; done")?;
    let sh = |script: &str| guest.sh(&format!("chroot /debian bash -ec \"{script}\" 2>&1"));
    let says = |script: &str, words: &str| -> Result<()> {
        let said = sh(script)?;
        println!("{script}: {}", said.trim());
        ensure!(said.contains(words), "'{script}' said {said}");
        Ok(())
    };
    says("mokutil --sb-state", "SecureBoot enabled")?;
    says("! modprobe xcap", "Key was rejected")?;
    says("! xcap-read", "mokutil --import")?;
    let key = format!("/usr/share/xcap-modules-{release}/signer.der");
    says(
        &format!("mokutil --test-key {key} || true"),
        "is not enrolled",
    )?;
    // The password that the menu will ask for, twice.
    sh(&format!(
        "yes nineteen | head -n 2 | mokutil --import {key}"
    ))?;
    says("mokutil --list-new", "Builder of xcap's modules")?;
    says("ls /sys/firmware/efi/efivars", "MokNew-605dab50")
}
