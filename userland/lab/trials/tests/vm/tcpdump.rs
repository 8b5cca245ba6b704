// SPDX-License-Identifier: GPL-2.0

//! A program that many capture with: Debian's tcpdump, and so libpcap.

use crate::labs::World;
use crate::world::{control, fresh_all, report, stage, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use xcap_machines::cache::digest;
use xcap_machines::config::Copy;
use xcap_machines::materials::MACHINE_SUITE;
use xcap_machines::provide::apt::Suite;
use xcap_machines::{Config, Lab, Materials, Place};

const FRAMES: u64 = 23;
const GAP_US: &str = "5000";

const PROGRAM: &str = "tcpdump";
const FOLDER: &str = "/lab/tcpdump";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![world.own_trial("what_tcpdump_captures_is_counted", || {
        let materials = world.materials()?;
        let config = Config {
            copies: vec![Copy {
                from: unpacked(materials)?,
                to: FOLDER.to_owned(),
            }],
            ..Config::bare()
        };
        let mut lab = Lab::boot(materials, &config)?;
        counted(&lab).map_err(|e| lab.explain(e))
    })]
}

fn counted(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    fresh_all(lab, "auto")?;
    let run = format!(
        // It becomes the user that it is told, root, and looks for him.
        "grep -qs ^root: /etc/passwd || echo root:x:0:0:root:/:/bin/sh >>/etc/passwd
         cd {FOLDER}/usr && exec lib64/ld-linux-x86-64.so.2 --library-path lib/x86_64-linux-gnu \
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

/// The program with its libraries, in a folder.
fn unpacked(materials: &Materials) -> Result<PathBuf> {
    let suite = Suite::open(&materials.cache, MACHINE_SUITE)?;
    let version = suite
        .package(PROGRAM)?
        .context("the suite has no tcpdump")?
        .version;
    let key = format!("{PROGRAM}-{}", digest([version.as_str()]));
    materials.cache.entry("programs", &key, |folder| {
        let mut wanted = vec![PROGRAM.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            // Of alternatives, one is there.
            let Some(package) = suite.package(&name)? else {
                continue;
            };
            suite.unpack(&name, folder)?;
            let libraries = package.depends.into_iter();
            wanted.extend(libraries.filter(|name| name.starts_with("lib") || name == "zlib1g"));
        }
        for needless in ["usr/share", "usr/sbin", "etc", "var"] {
            let needless = folder.join(needless);
            if needless.exists() {
                fs::remove_dir_all(needless)?;
            }
        }
        Ok(())
    })
}
