// SPDX-License-Identifier: GPL-2.0

//! xcap goes whenever it is told to, and never from under somebody.

use crate::labs::{thorough_if, On, World};
use crate::world::{fresh_all, in_receivers, reload, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_frames::{Captured, READY};
use xcap_machines::{Guest, Lab, Place};

/// The sender sleeps so long; it would wait out less awake, at the cost of the machines beside it.
const GAP_US: &str = "2500";

const FILES: [&str; 4] = ["stats", "per_cpu", "probes", "calibration"];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = vec![
        world.trial(
            "rmmod_is_refused_while_a_file_is_open",
            On::Unplugged,
            |lab| open_files(lab.guest(Place::Bare)),
        ),
        world.trial(
            "any_order_of_open_read_rmmod_close_is_fine",
            On::Unplugged,
            |lab| orders(lab.guest(Place::Bare)),
        ),
    ];
    for backend in ["auto", "kretprobe", "fprobe"] {
        let name = |place| format!("rmmod_under_load_with_sleepers_{place}_{backend}");
        let under_xen = world.trial(name("xen"), On::Xen, move |lab| under_load(lab, backend));
        let bare = world.trial(name("bare"), On::Bare, move |lab| under_load(lab, backend));
        trials.push(thorough_if(backend != "auto", under_xen));
        trials.push(thorough_if(backend != "kretprobe", bare));
    }
    trials
}

fn open_files(guest: &Guest) -> Result<()> {
    for file in FILES {
        reload(guest, Stages::Few)?;
        let path = format!("/sys/kernel/debug/xcap/{file}");
        let refused = guest.sh(&format!(
            "exec 3<{path}; rmmod xcap 2>&1 && exit 1; cat <&3 >/dev/null; exec 3<&-; true"
        ))?;
        ensure!(
            refused.contains("unavailable") || refused.contains("in use"),
            "{file}: {refused}"
        );
        guest.sh("rmmod xcap")?;
    }
    reload(guest, Stages::Few)?;
    guest.sh("exec 3>/sys/kernel/debug/xcap/control; ! rmmod xcap 2>/dev/null; echo reset >&3; exec 3>&-; rmmod xcap")?;
    Ok(())
}

fn orders(guest: &Guest) -> Result<()> {
    for file in FILES {
        let path = format!("/sys/kernel/debug/xcap/{file}");
        for order in [
            // A part is read, the rest after a refused rmmod.
            format!("exec 3<{path}; head -c 10 <&3 >/dev/null; ! rmmod xcap; cat <&3 >/dev/null; exec 3<&-; rmmod xcap"),
            // Opened twice, one closed.
            format!("exec 3<{path} 4<{path}; exec 3<&-; ! rmmod xcap; exec 4<&-; rmmod xcap"),
            // A folder that stays open or current.
            "cd /sys/kernel/debug/xcap; rmmod xcap; ls >/dev/null 2>&1; cd /".to_owned(),
            format!("rmmod xcap; ! cat {path}"),
        ] {
            reload(guest, Stages::Few)?;
            guest.sh(&format!("{{ {order}; }} 2>/dev/null"))?;
            ensure!(!guest.sh("cat /proc/modules")?.contains("xcap "), "still loaded after: {order}");
        }
    }
    Ok(())
}

/// The stages that frames and sleepers are in.
const ON_THE_WAY: Stages =
    Stages::These("softirq,nic_poll,bridge,netback,copy,deliver,recvmsg,copy_user");

/// Callers asleep in recvfrom(), frames flowing, and xcap going and coming meanwhile.
fn under_load(lab: &Lab, backend: &str) -> Result<()> {
    fresh_all(lab, backend)?;
    let place = lab.guest(lab.capturing_place());
    let mut busy = place.spawn(&["xcap-recv", "-i", "eth0", "--json"])?;
    busy.wait_for_line(READY, PATIENCE)?;
    let mut sleepers = Vec::new();
    for _ in 0..3 {
        // Nobody sends these: the callers sleep until they are told to stop.
        let mut sleeper =
            place.spawn(&["xcap-recv", "-i", "eth0", "--ethertype", "0x88b5", "--json"])?;
        sleeper.wait_for_line(READY, PATIENCE)?;
        sleepers.push(sleeper);
    }
    let flood = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        lab.destination(),
        "--count",
        "100000000",
        "--wait",
        GAP_US,
    ];
    let sender = lab.guest(Place::Sender).spawn(&flood)?;
    in_receivers(lab, |guest| {
        let again = format!(
            "rmmod xcap && insmod /lab/xcap.ko backend={backend} stages={}",
            ON_THE_WAY.names()
        );
        for _ in 0..3 {
            guest.sh(&again)?;
        }
        guest.sh("rmmod xcap").map(drop)
    })?;
    for sleeper in sleepers {
        sleeper.signal(15)?;
        sleeper.wait(PATIENCE)?.ok("a sleeping xcap-recv")?;
    }
    sender.signal(15)?;
    sender.wait(PATIENCE)?;
    busy.signal(15)?;
    let captured: Captured = serde_json::from_str(&busy.wait(PATIENCE)?.ok("xcap-recv")?)?;
    ensure!(
        captured.captured > 0,
        "no frame was captured meanwhile: {captured:?}"
    );
    Ok(())
}
