// SPDX-License-Identifier: GPL-2.0

//! Records a machine's share of a run.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{bail, Result};
use xcap_journeys::look::Look;

use super::capture::Capture;
use super::looks::Looks;
use super::marks::Marks;
use super::send::send;
use super::settle::await_quiet;
use super::{counters, xcap};
use crate::cpu_time::Begun;
use crate::format::FORMAT;
use crate::machine::Machine;
use crate::part::{Idle, Part, Snapshot, Task};
use crate::role::Role;

/// Records one machine's share of `task`: `begun` when the first frame may come, and the end
/// of the run when `over` returns. A sender sends in between, and waits for nothing. If the frames
/// are `marked`, they are numbered, and what they left is given beside the part.
pub fn record(
    role: Role,
    interface: &str,
    task: Task,
    marked: bool,
    destination: &str,
    begun: impl FnOnce(),
    over: impl FnOnce() -> Result<()>,
) -> Result<(Part, Option<Marked>)> {
    check(role, interface)?;
    let capture = match role {
        Role::Measured(domain) if domain.captures() => {
            Some(Capture::start(interface, task.buffer)?)
        }
        _ => None,
    };
    let measured = role != Role::Sender;
    let mut queues = counters::read()?;
    let mut idle = None;
    let mut marks = None;
    if measured {
        xcap::control("stop")?;
        counters::add_queues(&mut queues);
        if marked {
            marks = Some(Marks::on(task.frames)?);
        }
        xcap::control("start")?;
        if !marked {
            idle = watch_idle()?;
        }
        xcap::control("reset")?;
    }
    let time = Begun::now();
    let began = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut before = snapshot(measured)?;
    counters::take_queues(&mut before.counters, &queues);
    begun();
    let mut sent = None;
    let mut spent = None;
    let mut seen = Vec::new();
    if measured {
        let looks = capture.as_ref().filter(|_| marked);
        let looks = looks.map(|capture| Looks::begin(capture.program()));
        let looks = looks.transpose()?;
        over()?;
        await_quiet()?;
        if let Some(looks) = looks {
            seen = looks.end()?;
        }
        // Taking the hooks off takes time that isn't the run's.
        spent = time.since();
        xcap::control("stop")?;
    } else {
        sent = Some(send(interface, destination, task, marked)?);
    }
    let mut after = snapshot(measured)?;
    counters::add_queues(&mut after.counters);
    let part = Part {
        format: FORMAT,
        task,
        role,
        interface: interface.to_owned(),
        machine: Machine::here(interface),
        began,
        before,
        after,
        sent,
        wire: None,
        captured: capture.map(Capture::end).transpose()?,
        time: spent,
        idle,
    };
    let marks = marks.map(|marks| marks.take()).transpose()?;
    Ok((part, marks.map(|marks| Marked { marks, looks: seen })))
}

/// What is recorded of frames that leave marks.
pub struct Marked {
    /// The stream of marks.
    pub marks: Vec<u8>,
    /// At the capturing socket, where there is one.
    pub looks: Vec<Look>,
}

/// So long is looked at what the machine does by itself.
const IDLE: Duration = Duration::from_millis(500);

/// What it does while nothing is sent, with xcap started: calls that are under way at the end don't matter to a machine
/// that has next to none.
fn watch_idle() -> Result<Option<Idle>> {
    xcap::control("reset")?;
    let time = Begun::now();
    std::thread::sleep(IDLE);
    let Some(time) = time.since() else {
        return Ok(None);
    };
    Ok(Some(Idle {
        stats: xcap::stats()?,
        time,
    }))
}

/// Whether this machine can play its role.
fn check(role: Role, interface: &str) -> Result<()> {
    if !Path::new("/sys/class/net").join(interface).exists() {
        bail!("there is no interface '{interface}': `ip link` lists those that there are");
    }
    if let Role::Measured(domain) = role {
        let stats = xcap_stats::parse(&xcap::stats()?)?;
        if !domain.fits(&stats.role) {
            bail!(
                "this machine is {}, not {domain}: another --role",
                stats.role
            );
        }
    }
    Ok(())
}

fn snapshot(measured: bool) -> Result<Snapshot> {
    Ok(Snapshot {
        stats: measured.then(xcap::stats).transpose()?,
        counters: counters::read()?,
    })
}
