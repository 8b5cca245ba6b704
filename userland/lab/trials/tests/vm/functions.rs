// SPDX-License-Identifier: GPL-2.0

//! Any function, by name or by pattern, at run time.

use crate::labs::{thorough, On, World};
use crate::world::{capture, control, fresh, report, stage, unload, Stages};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Place};

/// What is refused, and with which words.
const REFUSED: [(&str, &str); 11] = [
    ("add no_such_function", "No such file"),
    ("add 'no_such_*'", "No such file"),
    // Several have the name.
    ("add type_show", "requested address"),
    ("add 'type_sho[w]'", "No such file"),
    ("add do_syscall_64", "Invalid argument"),
    ("add packet_rcv as deliver", "File exists"),
    ("add packet_rcv as taken", "File exists"),
    ("add 'tcp_*' limit=3", "too long"),
    // Its own arguments are not in the kernel's types.
    (
        "add __netif_receive_skb_core as unsure backend=direct",
        "not supported",
    ),
    // More arguments than registers.
    ("add do_mmap backend=direct", "not supported"),
    ("del no_such_probe", "No such file"),
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "what_cannot_be_probed_is_refused_with_its_errno",
            On::Unplugged,
            |lab| refused(lab.guest(Place::Bare)),
        ),
        world.trial(
            "a_name_finds_the_variant_that_the_compiler_made",
            On::Bare,
            |lab| {
                let guest = lab.guest(Place::Bare);
                fresh(guest, Stages::Few)?;
                control(guest, "add __netif_receive_skb_core as core")?;
                let found = report(guest)?;
                let function = stage(&found, "core")?.function.clone().unwrap_or_default();
                ensure!(
                    function.starts_with("__netif_receive_skb_core."),
                    "core is on {function}"
                );
                capture(lab, 7, 1000)?;
                let calls = stage(&report(guest)?, "core")?.count;
                ensure!(calls >= 7, "{calls} calls for 7 frames");
                Ok(())
            },
        ),
        world.trial("stages_are_chosen_at_load", On::Unplugged, |lab| {
            chosen_stages(lab.guest(Place::Bare))
        }),
        world.trial(
            "an_unknown_backend_is_refused_at_load",
            On::Unplugged,
            |lab| {
                let guest = lab.guest(Place::Bare);
                unload(guest)?;
                let said =
                    guest.sh("insmod /lab/xcap.ko backend=none 2>&1; insmod /lab/xcap.ko")?;
                ensure!(said.contains("nvalid"), "backend=none was taken: {said}");
                Ok(())
            },
        ),
        world.trial(
            "auto_takes_direct_where_no_call_sleeps",
            On::Unplugged,
            |lab| {
                let guest = lab.guest(Place::Bare);
                fresh(guest, Stages::These("deliver,recvmsg"))?;
                let report = report(guest)?;
                let how = |name| -> Result<(Option<&str>, Option<&str>)> {
                    let stage = stage(&report, name)?;
                    Ok((stage.backend.as_deref(), stage.reason.as_deref()))
                };
                let (deliver, recvmsg) = (how("deliver")?, how("recvmsg")?);
                ensure!(deliver == (Some("direct"), None), "deliver has {deliver:?}");
                ensure!(
                    recvmsg == (Some("fprobe"), Some("may_sleep")),
                    "recvmsg has {recvmsg:?}"
                );
                Ok(())
            },
        ),
        world.trial("a_pattern_takes_functions_of_a_module", On::Xen, |lab| {
            pattern(lab.guest(Place::Dom0))
        }),
        thorough(
            world.trial("a_thousand_probes_at_once", On::Unplugged, |lab| {
                thousand(lab.guest(Place::Bare))
            }),
        ),
    ]
}

fn refused(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::These("deliver"))?;
    control(guest, "add packet_sendmsg as taken")?;
    let probes = "cat /sys/kernel/debug/xcap/probes";
    let before = guest.sh(probes)?;
    for (command, words) in REFUSED {
        let output = guest.run(&["sh", "-c", &format!("echo {command} >{CONTROL}")])?;
        let said = output.error_text();
        ensure!(
            !output.success() && said.contains(words),
            "'{command}' was to be refused with '{words}': {}",
            said.trim()
        );
    }
    let after = guest.sh(probes)?;
    ensure!(before == after, "something changed:\n{before}\n{after}");
    Ok(())
}

fn pattern(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    // Probed by a kprobe, the last function of a module crashes the kernel, unless ftrace knows it.
    let last = guest.run(&["sh", "-c", &format!("echo add br_deinit >{CONTROL}")])?;
    ensure!(
        !last.success(),
        "a function that ftrace doesn't know was taken"
    );
    control(guest, "'add br_* limit=1000 backend=kretprobe'")?;
    let listed =
        guest.sh("grep -c '^br_[^ ]* [^ ]* bridge .* armed ' /sys/kernel/debug/xcap/probes")?;
    let listed: u32 = listed.trim().parse()?;
    ensure!(listed > 50, "{listed} functions of the bridge are armed");
    report(guest)?;
    guest.sh("rmmod xcap").map(drop)
}

fn thousand(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let mut added = 0;
    for prefix in ["tcp_", "udp_", "ip_", "inet_", "skb_", "sock_", "xfrm_"] {
        if added >= 1000 {
            break;
        }
        control(
            guest,
            &format!("'add {prefix}* limit=2000 backend=kretprobe'"),
        )?;
        let armed = "grep -c ' kretprobe armed ' /sys/kernel/debug/xcap/probes";
        added = guest.sh(armed)?.trim().parse()?;
    }
    ensure!(added >= 1000, "{added} probes are armed");
    let all = report(guest)?;
    let armed = all
        .stages
        .iter()
        .filter(|stage| stage.backend.as_deref() == Some("kretprobe"));
    ensure!(armed.count() >= 1000, "stats doesn't show them all");
    guest.sh("rmmod xcap").map(drop)
}

fn chosen_stages(guest: &Guest) -> Result<()> {
    unload(guest)?;
    for (stages, wrong) in [("deliver,nope", "nope"), ("tx_send", "tx_send")] {
        let command = format!(
            "dmesg -c >/dev/null; insmod /lab/xcap.ko stages={stages} 2>/dev/null || dmesg"
        );
        let said = guest.sh(&command)?;
        ensure!(
            said.contains(&format!("\"{wrong}\" is none of the stages")),
            "stages={stages}: {said}"
        );
    }
    guest.sh("insmod /lab/xcap.ko stages=copy_user,recvmsg")?;
    let stages = || -> Result<Vec<String>> {
        let report = report(guest)?;
        Ok(report.stages.into_iter().map(|stage| stage.stage).collect())
    };
    let chosen = stages()?;
    // In the order of the table.
    ensure!(chosen == ["recvmsg", "copy_user"], "there are {chosen:?}");
    control(guest, "transmit on")?;
    let sending = stages()?;
    ensure!(
        sending.contains(&"tx_send".to_owned()),
        "there are {sending:?}"
    );
    unload(guest)
}
