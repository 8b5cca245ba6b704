// SPDX-License-Identifier: GPL-2.0

//! In the Xen lab: the domU loses CPUs and gets them back, is saved and restored, killed and made anew, and netback is taken away, all under frames.

use crate::guest::outcome::Outcome;
use crate::host::ended::Ended;
use crate::host::plan::Dose;
use anyhow::{ensure, Result};
use std::path::Path;
use std::time::{Duration, Instant};
use xcap_abi::paths::STATS;
use xcap_machines::provide::lacks;
use xcap_machines::{Config, Lab, Materials, Place};

/// In the domU: a line a reading, on its console. A CPU that is given back waits for somebody to use it.
const READINGS: &str = "
(while :; do
	echo 1 >/sys/devices/system/cpu/cpu1/online
	if xcap-read --json >/dev/null 2>/tmp/said; then echo \"stress: good on $(nproc)\"
	else echo \"stress: bad: exit status $? $(cat /tmp/said)\"; fi
	sleep 0.2
done >/dev/hvc0) >/dev/null 2>&1 </dev/null &
";

/// In dom0, where xenconsoled keeps what comes from there.
const FUNCTIONS: &str = "
set -e
good() { grep -c 'stress: good' /var/log/xen/console/guest-domU.log || true; }
more_readings() {
	wanted=$(($(good) + 5)); left=600
	until [ $(good) -ge $wanted ]; do
		left=$((left - 1)); [ $left -gt 0 ] || { echo \"no readings after $1\"; exit 1; }
		sleep 0.1
	done
	if grep -q 'stress: bad' /var/log/xen/console/guest-domU.log; then
		grep -v 'stress: good' /var/log/xen/console/guest-domU.log | tail -n 20; exit 1
	fi
}
commands() {
	cd /sys/kernel/debug/xcap
	for word in stop start reset backend=fprobe reset backend=kretprobe reset backend=auto; do
		echo $word >control; cat stats >/dev/null
	done
	cd /
}
";

const VCPUS: &str = "
cpus() {
	xl vcpu-set domU $1
	left=600
	until grep 'stress: good' /var/log/xen/console/guest-domU.log | tail -n 1 | grep -q \"on $1\"; do
		left=$((left - 1)); [ $left -gt 0 ] || { echo \"the domU doesn't get $1 CPUs\"; exit 1; }
		sleep 0.1
	done
}
more_readings 'the start'
for round in 1 2 3 4 5; do cpus 1; cpus 2; done
more_readings 'CPUs that came and went'
";

const SAVE: &str = "
more_readings 'the start'
xl save domU /tmp/saved
commands
xl restore /tmp/saved
rm /tmp/saved
more_readings 'xl restore'
commands
";

const KILL: &str = "
commands &
xl destroy domU
wait
xl create /lab/domU.cfg >/dev/null
commands
xl destroy domU
left=600
while [ -e /sys/class/net/vif* ]; do
	left=$((left - 1)); [ $left -gt 0 ] || { echo 'the vif stays'; exit 1; }
	sleep 0.1
done
modprobe -r xen-netback
commands
modprobe xen-netback
commands
";

const UNLOAD: &str = "rmmod xcap && insmod /lab/xcap.ko && rmmod xcap";

/// Of the domU.
const MOST_VCPUS: u32 = 2;

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(300);

pub fn run(materials: &Materials, dose: &Dose, keep: &Path) -> Result<Ended> {
    let mut outcome = Outcome::default();
    if !lacks::is_set(&materials.kernel.config()?, "XEN_PV_DOM0") {
        outcome.skipped = Some("the kernel can't be a dom0".to_owned());
        return Ok(Ended::from(outcome));
    }
    let begun = Instant::now();
    let config = Config {
        domu_vcpus: MOST_VCPUS,
        // A function is called in the domU while another CPU patches it.
        cpus_in_turn: true,
        ..Config::xen()
    };
    loop {
        let mut lab = Lab::boot(materials, &config)?;
        let ended = round(&lab);
        if let Err(e) = lab.judged(ended) {
            outcome.failures.push(format!("{e:#}"));
        }
        outcome.rounds += 1;
        let enough = outcome.rounds >= dose.rounds || begun.elapsed() >= dose.longest;
        if enough || !outcome.failures.is_empty() {
            return Ended::of(&lab, outcome, keep);
        }
    }
}

fn round(lab: &Lab) -> Result<()> {
    let domu = lab.guest(Place::DomU);
    domu.sh(READINGS)?;
    let capture = ["xcap-recv", "-i", "eth0", "--json"];
    let _capturer = domu.spawn(&capture)?;
    let send = ["xcap-send", "-i", "eth0", "-d", lab.destination()];
    let much = ["--count", "100000000", "--wait", "200"];
    let _sender = lab
        .guest(Place::Sender)
        .spawn(&[&send[..], &much[..]].concat())?;
    let dom0 = lab.guest(Place::Dom0);
    for script in [VCPUS, SAVE, KILL, UNLOAD] {
        let script = format!("{FUNCTIONS}{script}");
        let running = dom0.spawn(&["sh", "-c", &script])?;
        running.close_stdin()?;
        let output = running.wait(PATIENCE)?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.success(),
            "in dom0: {} {}",
            said.trim(),
            output.error_text().trim()
        );
        if script.ends_with(KILL) {
            xcap_stats::parse(&dom0.sh(&format!("cat {STATS}"))?)?;
        }
    }
    Ok(())
}
