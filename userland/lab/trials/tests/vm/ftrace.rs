// SPDX-License-Identifier: GPL-2.0

//! xcap's counts against ftrace's own of the same functions.

use crate::labs::{thorough, On, World};
use crate::world::{capture_watched, fresh_all, receivers, report, Moment};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use xcap_machines::{Guest, Lab};

const TRACING: &str = "/sys/kernel/tracing";

/// What ftrace counted, by stage.
type Hits = BTreeMap<String, u64>;

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe"] {
        let name = |place| format!("counts_agree_with_ftrace_{place}_{backend}");
        let under_xen = world.trial(name("xen"), On::Xen, move |lab| agree(lab, backend));
        trials.push(thorough(under_xen));
        trials.push(world.trial(name("bare"), On::Bare, move |lab| agree(lab, backend)));
    }
    trials
}

fn agree(lab: &Lab, backend: &str) -> Result<()> {
    fresh_all(lab, backend)?;
    let mut seen: BTreeMap<(String, Moment), Hits> = BTreeMap::new();
    let captured = capture_watched(lab, 200, 1000, |guest, moment| {
        if moment == Moment::BeforeReset {
            trace(guest)?;
        }
        seen.insert((guest.name().to_owned(), moment), hits(guest)?);
        Ok(())
    });
    let outcome = captured.and_then(|()| {
        receivers(lab).into_iter().try_for_each(|guest| {
            let at = |moment| &seen[&(guest.name().to_owned(), moment)];
            let outer = difference(at(Moment::BeforeReset), at(Moment::AfterStop));
            let inner = difference(at(Moment::AfterReset), at(Moment::BeforeStop));
            compare(guest, &inner, &outer)
        })
    });
    for guest in receivers(lab) {
        guest.sh(&format!(
            "cd {TRACING}; echo 0 >events/xcaptest/enable; echo >kprobe_events"
        ))?;
    }
    outcome
}

/// A kprobe event on the function of every armed stage.
fn trace(guest: &Guest) -> Result<()> {
    let mut events = String::new();
    for stage in report(guest)?.stages {
        if let ("armed", Some(function)) = (stage.state.as_str(), &stage.function) {
            events.push_str(&format!("p:xcaptest/{} {function}\n", stage.stage));
        }
    }
    guest.write_file("/tmp/events", events.as_bytes())?;
    guest.sh(&format!(
        "cd {TRACING}; cat /tmp/events >kprobe_events; echo 1 >events/xcaptest/enable"
    ))?;
    Ok(())
}

fn hits(guest: &Guest) -> Result<Hits> {
    let profile = guest.sh(&format!("cat {TRACING}/kprobe_profile"))?;
    let lines = profile.lines().map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().context("a line of kprobe_profile is empty")?;
        // Hits, and hits that ftrace itself missed.
        let counts: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>()?;
        Ok((name.to_owned(), counts.iter().sum()))
    });
    lines.collect()
}

fn difference(from: &Hits, to: &Hits) -> Hits {
    let grown = to
        .iter()
        .map(|(name, hits)| (name.clone(), hits - from[name]));
    grown.collect()
}

/// xcap records for longer than from after `reset` to before `stop`, and for less than from before to after: on a
/// function that only frames call, both are the same.
fn compare(guest: &Guest, inner: &Hits, outer: &Hits) -> Result<()> {
    ensure!(
        inner.len() > 5,
        "ftrace counted only {inner:?} in {}",
        guest.name()
    );
    let report = report(guest)?;
    for (name, &most) in outer {
        let stage = report.stage(name).context("a stage has gone")?;
        // A call that was asleep at `reset` was entered before, for ftrace.
        let (least, entries) = (inner[name], stage.entries - stage.missed_straddled);
        ensure!(
            (least..=most).contains(&entries),
            "{}: {name} was entered {entries} times, ftrace says {least} to {most}",
            guest.name()
        );
    }
    for name in ["bridge", "copy", "deliver"] {
        if let (Some(least), Some(most)) = (inner.get(name), outer.get(name)) {
            ensure!(
                least == most,
                "{}: {name} was called without frames",
                guest.name()
            );
        }
    }
    Ok(())
}
