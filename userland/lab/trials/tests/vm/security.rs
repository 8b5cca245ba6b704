// SPDX-License-Identifier: GPL-2.0

//! What others than root can do with xcap loaded, and what root can where the kernel is locked down.

use crate::labs::{On, World};
use crate::world::{reload, report, Stages};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::{CALIBRATION, CONTROL, DEVICE, PROBES, STATS};
use xcap_machines::config::Copy;
use xcap_machines::package::made::keys;
use xcap_machines::package::{self, secure_boot, signature};
use xcap_machines::{Config, Guest, Lab, Materials, Place};

const SECURITY: &str =
    "[ -e /sys/kernel/security/lockdown ] || mount -t securityfs securityfs /sys/kernel/security";

/// Where the guest has the module that is signed.
const SIGNED: &str = "/lab/signed";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("who_is_not_root_can_do_nothing", On::Unplugged, |lab| {
            nobody(lab.guest(Place::Bare))
        }),
        world.trial("the_device_is_stats_and_control", On::Unplugged, |lab| {
            device(lab.guest(Place::Bare))
        }),
        world.own_trial(
            "under_secure_boot_the_device_takes_commands_of_a_signed_xcap",
            || signed(world),
        ),
    ]
}

/// The machine's owner trusts the key that the kernel and xcap are signed with: the kernel locks itself down.
fn signed(world: &World) -> Result<()> {
    let materials = world.materials()?;
    let Materials { cache, kernel, .. } = materials;
    let keys = keys(cache, &package::root(cache)?)?;
    let work = tempfile::tempdir()?;
    let signed = work.path().join("xcap.ko");
    std::fs::copy(materials.module.as_ref().context("no module")?, &signed)?;
    signature::sign(&keys, kernel, &signed)?;
    let config = Config {
        load: false,
        firmware: Some(secure_boot::ensure(cache, kernel, &keys)?),
        copies: vec![Copy {
            from: work.path().to_owned(),
            to: SIGNED.to_owned(),
        }],
        ..Config::of([Place::Bare])
    };
    let mut lab = Lab::boot(materials, &config)?;
    let outcome = locked_down(lab.guest(Place::Bare));
    lab.judged(outcome)
}

fn refused(guest: &Guest, command: &str, because: &str) -> Result<()> {
    let output = guest.run(&["sh", "-c", command])?;
    let said = output.error_text();
    ensure!(!output.success(), "'{command}' was let do");
    ensure!(
        said.contains(because),
        "'{command}' was refused with: {}",
        said.trim()
    );
    Ok(())
}

fn nobody(guest: &Guest) -> Result<()> {
    reload(guest, Stages::Few)?;
    guest.sh("echo nobody:x:65534:65534::/:/bin/sh >/etc/passwd")?;
    let before = guest.sh(&format!("cat {PROBES}"))?;
    let as_nobody = |command: &str| format!("su nobody -c '{command}'");
    for file in [STATS, PROBES, CALIBRATION, DEVICE] {
        refused(
            guest,
            &as_nobody(&format!("cat {file}")),
            "Permission denied",
        )?;
    }
    for file in [CONTROL, DEVICE, "/sys/module/xcap/parameters/backend"] {
        let write = as_nobody(&format!("dd if=/proc/version of={file} conv=notrunc"));
        refused(guest, &write, "Permission denied")?;
    }
    for command in ["rmmod xcap", "insmod /lab/targets/xcap_targets.ko"] {
        refused(guest, &as_nobody(command), "not permitted")?;
    }
    // BPF, and what perf would see of it.
    refused(guest, &as_nobody("xcap-fentry vfs_read"), "")?;
    guest.sh("xcap-stress perf")?;
    refused(
        guest,
        &as_nobody("xcap-stress perf"),
        "perf_event_open() refuses",
    )?;
    refused(
        guest,
        &as_nobody("cat /sys/kernel/tracing/available_filter_functions"),
        "Permission denied",
    )?;
    let addresses = as_nobody("grep -F [xcap] /proc/kallsyms");
    let shown = guest.sh(&format!(
        "{addresses} | grep -v '^0000000000000000 ' | head -n 3"
    ))?;
    ensure!(shown.is_empty(), "nobody sees where xcap is: {shown}");
    // Nothing that nobody does loads it.
    let aliases = guest.sh("modinfo -F alias /lab/xcap.ko")?;
    ensure!(aliases.trim().is_empty(), "it is loaded for {aliases}");
    let after = guest.sh(&format!("cat {PROBES}"))?;
    ensure!(before == after, "something changed:\n{before}\n{after}");
    Ok(())
}

fn device(guest: &Guest) -> Result<()> {
    reload(guest, Stages::Few)?;
    let mode = guest.sh(&format!("stat -c '%a %u %F' {DEVICE}"))?;
    ensure!(
        mode.trim() == "600 0 character special file",
        "{DEVICE} is {mode}"
    );
    takes_commands(guest)?;
    refused(guest, &format!("echo bogus >{DEVICE}"), "Invalid argument")?;
    let busy = guest.sh(&format!(
        "exec 3<{DEVICE}; rmmod xcap 2>&1 && exit 1; cat <&3 >/dev/null; true"
    ))?;
    ensure!(
        busy.contains("unavailable") || busy.contains("in use"),
        "{busy}"
    );
    guest
        .sh("rmmod xcap && insmod /lab/xcap.ko stages=copy_user")
        .map(drop)
}

/// Through the device, and seen through it.
fn takes_commands(guest: &Guest) -> Result<()> {
    let command = |word: &str| guest.sh(&format!("echo {word} >{DEVICE}")).map(drop);
    for word in ["'add vfs_read as of_device'", "stop", "start", "reset"] {
        command(word)?;
    }
    let text = guest.sh(&format!("cat {DEVICE}"))?;
    let stats = xcap_stats::parse(&text)?;
    let stage = stats.stages.iter().find(|stage| stage.stage == "of_device");
    ensure!(
        stage.is_some_and(|stage| stage.state == "armed"),
        "it was not added: {text}"
    );
    command("'del of_device'")
}

fn locked_down(guest: &Guest) -> Result<()> {
    let level = guest.sh(&format!("{SECURITY} && cat /sys/kernel/security/lockdown"))?;
    ensure!(level.contains("[integrity]"), "it is not locked: {level}");
    // Unsigned.
    refused(guest, "insmod /lab/xcap.ko", "")?;
    guest.sh(&format!("insmod {SIGNED}/xcap.ko"))?;
    refused(guest, &format!("echo reset >{CONTROL}"), "not permitted")?;
    takes_commands(guest)?;
    report(guest)?;

    // Raised only, never lowered.
    guest.sh("echo confidentiality >/sys/kernel/security/lockdown")?;
    refused(guest, &format!("echo reset >{DEVICE}"), "not permitted")?;
    let log = guest.sh("dmesg | grep Lockdown")?;
    ensure!(
        log.contains("use of kprobes is restricted"),
        "the log doesn't say why: {log}"
    );
    // What was hooked before is still counted and shown.
    xcap_stats::parse(&guest.sh(&format!("cat {DEVICE}"))?)?;
    report(guest)?;
    guest.sh("rmmod xcap").map(drop)
}
