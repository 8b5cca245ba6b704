// SPDX-License-Identifier: GPL-2.0

//! A program that many capture with: Debian's tcpdump, and so libpcap.

use crate::labs::{On, World};
use crate::packaged::FOLDER;
use crate::world::{control, fresh_all, report, stage, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_machines::{Lab, Place};

const FRAMES: u64 = 23;
const GAP_US: &str = "5000";

const PROGRAM: &str = "tcpdump";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![world.trial("what_tcpdump_captures_is_counted", On::Bare, counted)]
}

fn counted(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    fresh_all(lab, "auto")?;
    let run = format!(
        // It becomes the user that it is told, root, and looks for him.
        "grep -qs ^root: /etc/passwd || echo root:x:0:0:root:/:/bin/sh >>/etc/passwd
         cd {FOLDER}/{PROGRAM}/usr && exec lib64/ld-linux-x86-64.so.2 --library-path lib/x86_64-linux-gnu \
         bin/tcpdump -Z root -i eth0 -c {FRAMES} --immediate-mode -w /dev/null 2>&1"
    );
    let mut tcpdump = guest.spawn(&["sh", "-c", &run])?;
    tcpdump.wait_for_line("listening on", PATIENCE)?;
    control(guest, "reset")?;
    let (count, to) = (FRAMES.to_string(), lab.destination());
    let send = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        to,
        "--count",
        &count,
        "--wait",
        GAP_US,
    ];
    lab.guest(Place::Sender).run(&send)?.ok("xcap-send")?;
    guest.sh("/lab/settle")?;
    let said = tcpdump.wait(PATIENCE)?.ok(PROGRAM)?;
    let report = report(guest)?;
    // Of all kinds: it has no filter.
    let captured = figure(&said, " packets captured")?;
    let came = figure(&said, " packets received by filter")?;
    ensure!(
        captured >= FRAMES && captured == came,
        "{FRAMES} were sent; {PROGRAM} says:\n{said}"
    );
    let deliver = stage(&report, "deliver")?;
    ensure!(
        deliver.count == captured && deliver.function.as_deref() == Some("tpacket_rcv"),
        "{:?} was called {} times, {PROGRAM} captured {captured}",
        deliver.function,
        deliver.count
    );
    Ok(())
}

/// The number before `what`.
fn figure(said: &str, what: &str) -> Result<u64> {
    let line = said.lines().find_map(|line| line.strip_suffix(what));
    let figure = line.with_context(|| format!("no line '…{what}' in:\n{said}"))?;
    Ok(figure.parse()?)
}
