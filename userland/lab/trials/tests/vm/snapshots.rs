// SPDX-License-Identifier: GPL-2.0

//! Readings that are made while samples come in.

use crate::asleep::BACKENDS;
use crate::labs::{thorough_if, On, World};
use crate::world::{control, fresh, load_targets, Stages};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Place};
use xcap_stats::{parse, Stage};

/// Both CPUs call a probed function in a tight loop; meanwhile `stats` is read as fast as it can be.
const STORM: &str = r#"
calls=/sys/kernel/debug/xcap_targets/call
rm -f /tmp/calm /tmp/rounds.* /tmp/readings
for cpu in 1 2; do
	taskset $cpu sh -c "
		rounds=0
		until [ -e /tmp/calm ]; do
			echo xcap_target_10 1000 >$calls
			rounds=\$((rounds + 1))
		done
		echo \$rounds >/tmp/rounds.$cpu
	" &
done
reading() { grep -E '^(# |storm )' /sys/kernel/debug/xcap/stats; }
for number in $(seq 40); do reading >>/tmp/readings; done
touch /tmp/calm
wait
reading >>/tmp/readings
cat /tmp/readings
echo $(($(cat /tmp/rounds.1) + $(cat /tmp/rounds.2)))
"#;

/// Calls in a round of [`STORM`].
const ROUND: u64 = 1000;

pub fn trials(world: &'static World) -> Vec<Trial> {
    let one = |backend| {
        let name = format!("no_reading_is_torn_while_two_cpus_hit_{backend}");
        let trial = world.trial(name, On::Parallel, move |lab| {
            storm(lab.guest(Place::Bare), backend)
        });
        thorough_if(backend == "kretprobe", trial)
    };
    BACKENDS.map(one).into()
}

fn storm(guest: &Guest, backend: &str) -> Result<()> {
    fresh(guest, Stages::Few)?;
    load_targets(guest)?;
    control(
        guest,
        &format!("add xcap_target_10 as storm backend={backend}"),
    )?;
    let text = guest.sh(STORM)?;
    let (text, rounds) = text.rsplit_once("# end\n").context("no reading")?;
    let calls = ROUND * rounds.trim().parse::<u64>()?;
    let mut readings = Vec::new();
    for reading in format!("{text}# end\n").split_inclusive("# end\n") {
        // Refuses figures that contradict each other.
        let stats = parse(reading).with_context(|| format!("in this reading: {reading}"))?;
        readings.push(
            stats
                .stages
                .into_iter()
                .next()
                .context("no line of the storm")?,
        );
    }
    for pair in readings.windows(2) {
        grown(&pair[0], &pair[1])?;
    }
    let within = |stage: &&Stage| stage.exact && 0 < stage.count && stage.count < calls;
    let telling = readings.iter().filter(within).count();
    let all = readings.len();
    ensure!(
        telling >= 10,
        "{telling} of {all} readings are exact and of a storm under way"
    );
    control(guest, "stop")?;
    let last = readings.last().context("no reading")?;
    ensure!(last.exact, "not exact when nothing comes in");
    ensure!(
        last.entries == calls && last.count + last.missed == calls,
        "{} of {calls} calls counted, {} missed, {} entered",
        last.count,
        last.missed,
        last.entries
    );
    Ok(())
}

/// Nothing that was counted is forgotten.
fn grown(before: &Stage, after: &Stage) -> Result<()> {
    let figures = |stage: &Stage| {
        [
            ("count", u128::from(stage.count)),
            ("sum", stage.sum),
            ("sumsq", stage.sumsq),
            ("max", stage.max.unwrap_or(0).into()),
            ("entries", stage.entries.into()),
            ("self_sum", stage.self_sum),
            ("histogram", stage.histogram.total()),
        ]
    };
    for ((name, earlier), (_, later)) in figures(before).into_iter().zip(figures(after)) {
        ensure!(earlier <= later, "{name} fell from {earlier} to {later}");
    }
    Ok(())
}
