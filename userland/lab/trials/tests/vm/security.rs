// SPDX-License-Identifier: GPL-2.0

//! What others than root can do with xcap loaded, and what root can where the kernel is locked down.

use crate::labs::{targets, On, World};
use crate::world::{control, reload, report};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::{CALIBRATION, CONTROL, DEVICE, PROBES, STATS};
use xcap_machines::{Config, Guest, Lab, Place};

/// Raised only, never lowered: a machine of its own. What was loaded before stands for what is signed.
const LOCK_DOWN: &str = "
[ -e /sys/kernel/security/lockdown ] || mount -t securityfs securityfs /sys/kernel/security
echo $0 >/sys/kernel/security/lockdown
";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("who_is_not_root_can_do_nothing", On::Unplugged, |lab| {
            nobody(lab.guest(Place::Bare))
        }),
        world.trial("the_device_is_stats_and_control", On::Unplugged, |lab| {
            device(lab.guest(Place::Bare))
        }),
        world.own_trial(
            "where_the_kernel_is_locked_down_the_device_takes_commands",
            || {
                let materials = world.materials()?;
                let config = Config {
                    copies: vec![targets(materials)?],
                    ..Config::of([Place::Bare])
                };
                let mut lab = Lab::boot(materials, &config)?;
                locked_down(lab.guest(Place::Bare))
                    .and_then(|()| lab.logs().check())
                    .map_err(|e| lab.explain(e))
            },
        ),
    ]
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
    reload(guest)?;
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
    reload(guest)?;
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
    guest.sh("rmmod xcap && insmod /lab/xcap.ko").map(drop)
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
    control(guest, "reset")?;
    lock_down(guest, "integrity")?;
    refused(guest, &format!("echo reset >{CONTROL}"), "not permitted")?;
    refused(
        guest,
        "insmod /lab/targets/xcap_targets.ko",
        "not permitted",
    )?;
    takes_commands(guest)?;
    report(guest)?;

    lock_down(guest, "confidentiality")?;
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

fn lock_down(guest: &Guest, level: &str) -> Result<()> {
    guest
        .run(&["sh", "-ec", LOCK_DOWN, level])?
        .ok(level)
        .map(drop)
}
