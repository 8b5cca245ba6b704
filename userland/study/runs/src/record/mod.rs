// SPDX-License-Identifier: GPL-2.0

//! What runs in each machine: records its share of a run.

mod capture;
mod counters;
mod xcap;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{bail, Context, Result};

use crate::machine::Machine;
use crate::part::{Part, Sent, Snapshot, Task, FORMAT};
use crate::run_id::Domain;

use capture::Capture;

/// The counters have to stand still for so long before all frames are taken to have passed.
const QUIET: Duration = Duration::from_millis(500);

/// Looked at so often: seldom enough to leave the machine alone.
const EVERY: Duration = Duration::from_millis(50);

/// Nothing in a run takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a machine is in the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Sender,
    Measured(Domain),
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Measured(domain) => domain.name(),
        }
    }
}

/// Records one machine's share of `task`: `begun` when the first frame may come, and the end
/// of the run when `over` returns. A sender sends in between, and waits for nothing.
pub fn record(
    role: Role,
    interface: &str,
    task: Task,
    destination: Option<&str>,
    begun: impl FnOnce(),
    over: impl FnOnce() -> Result<()>,
) -> Result<Part> {
    check(role, interface)?;
    let capture = match role {
        Role::Measured(domain) if domain.captures() => {
            Some(Capture::start(interface, task.buffer)?)
        }
        _ => None,
    };
    let measured = role != Role::Sender;
    let mut queues = counters::read()?;
    if measured {
        xcap::control("stop")?;
        counters::add_queues(&mut queues);
        xcap::control("start")?;
        xcap::control("reset")?;
    }
    let began = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut before = snapshot(measured)?;
    counters::take_queues(&mut before.counters, &queues);
    begun();
    let sent = destination
        .map(|mac| send(interface, mac, task))
        .transpose()?;
    if measured {
        over()?;
        await_quiet()?;
        xcap::control("stop")?;
    }
    let mut after = snapshot(measured)?;
    counters::add_queues(&mut after.counters);
    Ok(Part {
        format: FORMAT,
        task,
        role: role.name().into(),
        interface: interface.to_owned(),
        machine: Machine::here(interface),
        began,
        before,
        after,
        sent,
        captured: capture.map(Capture::end).transpose()?,
    })
}

/// Whether this machine can play its role.
fn check(role: Role, interface: &str) -> Result<()> {
    if !Path::new("/sys/class/net").join(interface).exists() {
        bail!("there is no interface '{interface}': `ip link` lists those that there are");
    }
    if let Role::Measured(domain) = role {
        let stats = xcap_read::parse(&xcap::stats()?)?;
        if !domain.fits(&stats.role) {
            bail!(
                "this machine is {}, not {domain}: another --role",
                stats.role
            );
        }
    }
    Ok(())
}

fn send(interface: &str, destination: &str, task: Task) -> Result<Sent> {
    let output = Command::new(tool("xcap-send"))
        .args([
            "--json",
            "--interface",
            interface,
            "--destination",
            destination,
        ])
        .args(["--size", &task.scenario.size.to_string()])
        .args(["--wait", &task.scenario.wait_us.to_string()])
        .args(["--count", &task.frames.to_string()])
        .output()
        .context("cannot run xcap-send")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("xcap-send printed no report")
}

fn snapshot(measured: bool) -> Result<Snapshot> {
    Ok(Snapshot {
        stats: measured.then(xcap::stats).transpose()?,
        counters: counters::read()?,
    })
}

/// Waits until every interface's counters and every packet socket's queue stand still.
fn await_quiet() -> Result<()> {
    let begun = Instant::now();
    let mut seen = counters::fingerprint()?;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        if begun.elapsed() > PATIENCE {
            bail!(
                "frames still come after {} s: is something else on this network?",
                PATIENCE.as_secs()
            );
        }
        std::thread::sleep(EVERY);
        let now = counters::fingerprint()?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// A tool of ours: beside this program, or where the system looks for programs.
fn tool(name: &str) -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|me| Some(me.parent()?.join(name)));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| name.into())
}
