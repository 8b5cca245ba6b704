//! xcap's counts against ftrace's own of the same functions.

use crate::world::{capture_watched, receivers, reload_all, report, On, World};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use xcap_lab::{Guest, Lab};

const TRACING: &str = "/sys/kernel/tracing";

/// Stages whose functions nothing calls but frames that come: between two commands they stand still.
const QUIET: [&str; 7] = [
    "nic_irq",
    "nic_poll",
    "bridge",
    "netback",
    "copy",
    "deliver",
    "copy_user",
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe"] {
        let name = |place| format!("counts_agree_with_ftrace_{place}_{backend}");
        trials.push(world.trial(name("xen"), On::Xen, move |lab| agree(lab, backend)));
        trials.push(world.trial(name("bare"), On::Bare, move |lab| agree(lab, backend)));
    }
    trials
}

fn agree(lab: &Lab, backend: &str) -> Result<()> {
    reload_all(lab, backend)?;
    let guests = receivers(lab);
    let captured = capture_watched(lab, 200, 1000, watch);
    let outcome = captured.and_then(|()| guests.iter().try_for_each(|guest| compare(guest)));
    for &guest in &guests {
        guest.sh(&format!(
            "cd {TRACING}; echo 0 >events/xcaptest/enable; echo >kprobe_events"
        ))?;
    }
    outcome
}

/// A kprobe event on the function of every quiet stage.
fn watch(guest: &Guest) -> Result<()> {
    let mut events = String::new();
    for stage in report(guest)?.stages {
        if let (true, Some(function)) = (QUIET.contains(&stage.stage.as_str()), &stage.function) {
            events.push_str(&format!("p:xcaptest/{} {function}\n", stage.stage));
        }
    }
    guest.write_file("/tmp/events", events.as_bytes())?;
    guest.sh(&format!(
        "cd {TRACING}; cat /tmp/events >kprobe_events; echo 1 >events/xcaptest/enable"
    ))?;
    Ok(())
}

fn compare(guest: &Guest) -> Result<()> {
    let profile = guest.sh(&format!("cat {TRACING}/kprobe_profile"))?;
    let mut hits = BTreeMap::new();
    for line in profile.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().context("a line of kprobe_profile is empty")?;
        let counts: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>()?;
        hits.insert(name, counts.iter().sum::<u64>());
    }
    ensure!(
        !hits.is_empty(),
        "ftrace counted nothing in {}",
        guest.name()
    );
    for stage in report(guest)?.stages {
        if let Some(&hits) = hits.get(stage.stage.as_str()) {
            let (name, entries) = (&stage.stage, stage.entries);
            ensure!(
                entries == hits,
                "{}: {name} was entered {entries} times, ftrace says {hits}",
                guest.name()
            );
        }
    }
    Ok(())
}
