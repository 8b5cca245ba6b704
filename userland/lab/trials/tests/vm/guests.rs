// SPDX-License-Identifier: GPL-2.0

//! Guests as such: commands run in them as they would here, xcap loads in each, nothing goes wrong in silence.

use crate::labs::{On, World};
use crate::world::{receivers, reload, report, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_guest::protocol::Status;
use xcap_machines::{Guest, Lab, Place};

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "commands_pass_bytes_and_exit_codes_in_dom0",
            On::Xen,
            |lab| passes(lab.guest(Place::Dom0)),
        ),
        world.trial(
            "commands_pass_bytes_and_exit_codes_in_domu",
            On::Xen,
            |lab| passes(lab.guest(Place::DomU)),
        ),
        world.trial(
            "commands_pass_bytes_and_exit_codes_bare",
            On::Unplugged,
            |lab| passes(lab.guest(Place::Bare)),
        ),
        world.trial("xcap_loads_in_dom0_and_domu", On::Xen, |lab| {
            loads(lab, &["dom0", "domU-pv"])
        }),
        world.trial("xcap_loads_bare", On::Unplugged, |lab| {
            loads(lab, &["bare"])
        }),
    ]
}

pub fn last_trial(world: &'static World) -> Trial {
    world.last_trial("no_log_holds_an_oops_a_warning_or_a_splat")
}

fn passes(guest: &Guest) -> Result<()> {
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    guest.write_file("/tmp/bytes", &every_byte)?;
    ensure!(
        guest.read_file("/tmp/bytes")? == every_byte,
        "bytes changed on the way"
    );
    let output = guest.run(&["sh", "-c", "echo out; echo err >&2; exit 42"])?;
    ensure!(
        output.exit_code() == 42 && output.stdout == b"out\n" && output.stderr == b"err\n",
        "{output:?}"
    );
    let missing = guest.run(&["no-such-program"])?;
    ensure!(
        matches!(missing.status, Status::NotStarted(_)) && missing.exit_code() == 127,
        "{missing:?}"
    );

    let mut first = guest.spawn(&["sh", "-c", "echo first; exec sleep 1000"])?;
    first.wait_for_line("first", PATIENCE)?;
    let second = guest.run(&["echo", "second, while the first runs"])?;
    ensure!(second.success(), "{second:?}");
    first.signal(15)?;
    let ended = first.wait(PATIENCE)?;
    ensure!(ended.status == Status::Killed(15), "{ended:?}");
    Ok(())
}

fn loads(lab: &Lab, roles: &[&str]) -> Result<()> {
    for (guest, role) in receivers(lab).into_iter().zip(roles) {
        reload(guest, Stages::All)?;
        let report = report(guest)?;
        ensure!(
            report.role == *role,
            "{} calls itself {}",
            guest.name(),
            report.role
        );
        let release = guest.sh("uname -r")?;
        ensure!(
            report.kernel == release.trim(),
            "kernel {} is shown as {}",
            release.trim(),
            report.kernel
        );
        for stage in &report.stages {
            let explained = stage.state == "armed" || stage.reason.is_some();
            ensure!(
                explained,
                "{}: stage {} is {} for no reason",
                guest.name(),
                stage.stage,
                stage.state
            );
        }
        for needed in [
            "nic_irq",
            "softirq",
            "nic_poll",
            "deliver",
            "recvmsg",
            "copy_user",
        ] {
            let state = report.stage(needed).map(|stage| stage.state.as_str());
            ensure!(
                state == Some("armed"),
                "{}: {needed} is {state:?}",
                guest.name()
            );
        }
        let again = guest.run(&["insmod", "/lab/xcap.ko"])?;
        ensure!(!again.success(), "xcap was loaded twice");
        guest.sh("rmmod xcap && [ ! -e /sys/kernel/debug/xcap ] && insmod /lab/xcap.ko")?;
    }
    Ok(())
}
