// SPDX-License-Identifier: GPL-2.0

//! What `start`, `stop` and `reset` let in and leave out while calls come in as fast as they can.

use crate::labs::{thorough_if, On, World};
use crate::world::{control, fresh, load_targets, report, stage, Stages};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Place};

/// Resets under a storm of calls on another CPU; those after which a reading, at rest, is not exact. During the storm, a
/// sample that came meanwhile can make up for a torn one.
const RESETS: &str = r#"
cd /sys/kernel/debug/xcap
for number in $(seq 50); do
	rm -f /tmp/calm /tmp/storm
	taskset 2 sh -c 'while [ ! -e /tmp/calm ]; do
		echo xcap_target_disturbed 20000 >/sys/kernel/debug/xcap_targets/call
		>/tmp/storm
	done' &
	until [ -e /tmp/storm ]; do :; done
	echo reset >control
	touch /tmp/calm
	wait
	awk '/^# columns/ { for (i = 3; i <= NF; i++) at[$i] = i - 2 }
		/^storm / { exact = $at["exact"] }
		END { exit !exact }' stats || echo reset number $number
done
"#;

/// Calls of a function that makes one call of another.
const CALLS: &str = "
	while [ ! -e /tmp/calm ]; do
		echo xcap_target_nest 1000 >/sys/kernel/debug/xcap_targets/call
	done
";

/// Probes that are armed and disarmed between those of two functions of which one calls the other.
const BETWEEN: [&str; 8] = [
    "xcap_target_0",
    "xcap_target_10",
    "xcap_target_1000",
    "xcap_target_100000",
    "tcp_v4_rcv",
    "ip_rcv",
    "arp_rcv",
    "ip_local_deliver",
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in crate::asleep::BACKENDS {
        let torn = world.trial(
            format!("reset_tears_no_sample_{backend}"),
            // CPUs in turn are seldom stopped in the middle of a sample.
            On::Parallel,
            move |lab| reset(lab.guest(Place::Bare), backend),
        );
        trials.push(thorough_if(backend == "fprobe", torn));
        trials.push(world.trial(
            format!("start_and_stop_are_one_moment_for_all_{backend}"),
            On::Bare,
            move |lab| windows(lab.guest(Place::Bare), backend),
        ));
    }
    trials
}

fn reset(guest: &Guest, backend: &str) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    let add = format!("add xcap_target_disturbed as storm backend={backend}");
    control(guest, &add)?;
    let torn = guest.sh(RESETS)?;
    ensure!(torn.is_empty(), "not exact after {torn}");
    let report = report(guest)?;
    let calls = stage(&report, "storm")?;
    ensure!(calls.count > 0, "no call counted after the last reset");
    ensure!(
        calls.in_flight == 0 && calls.entries == calls.count + calls.missed && calls.missed <= 1,
        "{} entries, {} counted, {} missed (one can have been under way), {} in flight",
        calls.entries,
        calls.count,
        calls.missed,
        calls.in_flight
    );
    Ok(())
}

fn windows(guest: &Guest, backend: &str) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    let choice = format!("backend={backend}");
    control(guest, &format!("add xcap_target_nest as outer {choice}"))?;
    for function in BETWEEN {
        control(guest, &format!("add {function} {choice}")).context(function)?;
    }
    control(guest, &format!("add xcap_target_100 as inner {choice}"))?;
    control(guest, "stop")?;
    control(guest, "reset")?;
    guest.sh("rm -f /tmp/calm")?;
    let storm = guest.spawn(&["taskset", "2", "sh", "-c", CALLS])?;
    control(guest, "start")?;
    crate::world::until(guest, "calls are counted", |report| {
        report
            .stage("outer")
            .is_some_and(|stage| stage.count > 1000)
    })?;
    control(guest, "stop")?;
    let report = report(guest)?;
    guest.sh("touch /tmp/calm")?;
    storm.wait(crate::world::PATIENCE)?.ok("the storm")?;
    let count = |name| anyhow::Ok(stage(&report, name)?.count);
    let (outer, inner) = (count("outer")?, count("inner")?);
    // A call around `start` or `stop` doesn't count, and the one that it made may.
    ensure!(
        (outer..=outer + 2).contains(&inner),
        "{outer} calls counted that made {inner} calls, one each"
    );
    Ok(())
}
