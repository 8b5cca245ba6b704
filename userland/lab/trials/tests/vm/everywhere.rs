// SPDX-License-Identifier: GPL-2.0

//! Probes on the kernel's busiest functions: everything goes on as before.

use crate::asleep::BACKENDS;
use crate::labs::{On, World};
use crate::world::{capture, control, fresh, report, Stages, PATIENCE};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_abi::paths::CONTROL;
use xcap_machines::{Guest, Lab, Place};

/// Called in interrupts, in softirqs, with interrupts off, while tasks are switched, with six arguments,
/// and none that a task sleeps in for good.
const BUSY: [&str; 16] = [
    "handle_mm_fault",
    "ksys_mmap_pgoff",
    "vfs_write",
    "kernel_clone",
    "do_sys_openat2",
    "kfree",
    "kmem_cache_free",
    "__alloc_skb",
    "try_to_wake_up",
    "enqueue_task_fair",
    "update_curr",
    "hrtimer_interrupt",
    "update_process_times",
    "ktime_get",
    "mod_timer",
    "__wake_up_sync_key",
];

/// Files are copied and compared and programs end with their exit codes, on both CPUs.
const WORK: &str = r#"
work() {
	dd if=/dev/urandom of=/tmp/data.$1 bs=64k count=4 2>/dev/null
	sum=$(sha256sum </tmp/data.$1)
	for round in $(seq 8); do
		cp /tmp/data.$1 /tmp/copy.$1
		[ "$(sha256sum </tmp/copy.$1)" = "$sum" ] || exit 1
		sh -c 'exit 7'
		[ $? = 7 ] || exit 2
	done
	echo as before
}
work 1 &
work 2
wait
"#;

pub fn trials(world: &'static World) -> Vec<Trial> {
    let one = |backend| {
        let name = format!("a_kernel_probed_everywhere_works_as_before_{backend}");
        world.trial(name, On::Bare, move |lab| busy(lab, backend))
    };
    BACKENDS.map(one).into()
}

fn busy(lab: &Lab, backend: &str) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    fresh(guest, Stages::Few)?;
    let added = add(guest, backend)?;
    // A kernel may lack some, and some are no direct's; most must be there.
    ensure!(added.len() >= 12, "only {added:?} can be probed");
    let work = guest.spawn(&["sh", "-c", WORK])?;
    // As many as a socket holds, however long the capturer waits for its turn.
    capture(lab, 100, 200)?;
    control(guest, "start")?;
    let said = work.wait(PATIENCE)?.ok("the work under probes")?;
    ensure!(said == "as before\nas before\n", "the work said {said}");
    control(guest, "stop")?;
    let report = report(guest)?;
    for stage in &report.stages {
        ensure!(stage.exact, "{} is not exact after stop", stage.stage);
        let lost = stage.missed_pool + stage.missed_busy;
        ensure!(
            lost == 0 || backend == "kretprobe",
            "{} lost {lost} calls",
            stage.stage
        );
    }
    let hit = report
        .stages
        .iter()
        .filter(|stage| added.contains(&stage.stage) && stage.count > 0);
    ensure!(hit.count() >= 10, "few of {added:?} were called");
    for name in &added {
        control(guest, &format!("del {name}"))?;
    }
    guest.sh("rmmod xcap").map(drop)
}

/// Those that could be added.
fn add(guest: &Guest, backend: &str) -> Result<Vec<String>> {
    let script = format!(
        "for name in {}; do (echo add $name backend={backend} >{CONTROL}) 2>/dev/null && echo $name; done; true",
        BUSY.join(" ")
    );
    Ok(guest.sh(&script)?.lines().map(str::to_owned).collect())
}
