// SPDX-License-Identifier: GPL-2.0

//! A machine with Secure Boot whose owner doesn't know of xcap: its module is refused, and the request to trust it is
//! where the boot loader's menu will find it. Confirming it there takes somebody at the keyboard: that isn't tried.

use crate::tree::Tree;
use anyhow::{ensure, Result};
use xcap_machines::package::keys::Keys;
use xcap_machines::package::secure_boot;
use xcap_machines::provide::disk;
use xcap_machines::{package, Guest, Lab, Materials, Place};
use xcap_trials::debian::{self, DEBIAN};

#[test]
#[ignore = "needs root"]
fn secure_boot_refuses_a_module_whose_key_mokutil_can_import() {
    refused_until_imported().unwrap();
}

fn refused_until_imported() -> Result<()> {
    let materials = Materials::prepare(None)?;
    let Materials { cache, kernel, .. } = &materials;
    let tree = Tree::with_packages(&materials, &disk::root(cache, kernel)?)?;
    tree.sh(
        "apt-get update && apt-get install --yes -o APT::Install-Recommends=true xcap mokutil",
    )?;
    let tools = package::root(cache)?;
    let owner = Keys::ensure(&tools, &cache.path("keys/owner"))?;
    let mut config = debian::machine(tree.disk(&tools)?);
    config.firmware = Some(secure_boot::ensure(cache, kernel, &owner)?);
    config.modules.push("efivarfs".to_owned());
    let mut lab = Lab::boot(&materials, &config)?;
    let outcome = import(lab.guest(Place::Bare), &kernel.release);
    lab.judged(outcome)
}

fn import(guest: &Guest, release: &str) -> Result<()> {
    guest.sh("mount -t efivarfs efivarfs /sys/firmware/efi/efivars")?;
    debian::mount(guest)?;
    let sh = |script: &str| guest.sh(&format!("chroot {DEBIAN} bash -ec \"{script}\" 2>&1"));
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
