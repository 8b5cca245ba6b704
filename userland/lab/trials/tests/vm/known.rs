// SPDX-License-Identifier: GPL-2.0

//! Functions of known length, on the machine where an instruction is a cycle: what xcap says of them is true.

use crate::asleep::BACKENDS;
use crate::labs::{targets, World};
use crate::world::stage;
use anyhow::{anyhow, ensure, Context, Result};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use xcap_machines::{Config, Lab, Place};
use xcap_stats::parse;
use xcap_stats::report::{Options, Report, StageReport};

/// How far a corrected mean may be from the truth, in instructions.
const TOLERANCE: f64 = 1.0;

/// Calls of each function, a prime; fewer of the longest.
const CALLS: u64 = 1009;
const LONG_CALLS: u64 = 11;

/// Calls of what nests, and how deep the recursion goes.
const OUTER_CALLS: u64 = 101;
const DEPTH: u64 = 3;

/// What an outer function does itself, as userland/lab/targets/functions.h has it: the call of the inner one is its own.
const NEST_ALONE: f64 = 24.0;
const LEVEL_ALONE: f64 = 24.0;
const LEAF_ALONE: f64 = 3.0;

/// Calls that ftrace's function_graph times with us.
const GRAPHED_CALLS: u64 = 23;

/// Time costs nothing on this machine: it sleeps until what goes on after boot is over.
///
/// Nothing is armed but what is measured: a kprobe or fprobe costs some instructions more where the kernel finds it
/// behind another in a chain of its hash table.
fn script() -> String {
    format!(
        r#"
insmod /lab/targets/xcap_targets.ko && insmod /lab/xcap.ko stages=copy_user || exit 1
stats=/sys/kernel/debug/xcap/stats
call=/sys/kernel/debug/xcap_targets/call
control() {{ echo "$*" >/sys/kernel/debug/xcap/control || exit 1; }}
for stage in $(awk '!/^#/ && !seen[$1]++ {{ print $1 }}' $stats); do control del $stage; done
sleep 20
begin() {{ echo; echo "= $*"; grep '^# ' $stats | grep -v '^# end'; }}
end() {{ echo '# end'; }}
# NAME COUNT [ARGUMENT]: its line.
measure() {{
	control add xcap_target_$1 as $1 backend=$backend
	echo xcap_target_$* >$call
	grep "^$1 " $stats
	control del $1
}}
for backend in kretprobe fprobe direct; do
	begin known $backend
	for length in 10 100 1000; do measure $length {CALLS}; done
	measure 100000 {LONG_CALLS}
	measure recurse {OUTER_CALLS} {DEPTH}
	control add xcap_target_100 as inner backend=$backend
	measure nest {OUTER_CALLS}
	control del inner
	end
done
cd /sys/kernel/tracing
echo xcap_target_0 xcap_target_100000 >set_ftrace_filter
echo function_graph >current_tracer
for backend in kretprobe fprobe direct; do
	echo >trace
	begin graphed $backend
	measure 0 {GRAPHED_CALLS}
	measure 100000 {GRAPHED_CALLS}
	end
	echo; echo "= graph $backend"
	sed -n 's/.* \([0-9.]*\) us .* \(xcap_target_[0-9]*\) .*/\1 \2/p' trace
done
echo nop >current_tracer
echo >set_ftrace_filter
rmmod xcap
"#
    )
}

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in BACKENDS {
        let mut add = |property: &str, check: fn(&Sections, &str) -> Result<()>| {
            let name = format!("{property}_{backend}");
            trials.push(world.own_trial(name, move || check(said(world)?, backend)));
        };
        add("known_functions_are_told_exactly", exact);
        add("self_time_leaves_out_what_nests", nested);
        add("durations_agree_with_function_graph", graphed);
    }
    trials
}

/// What the machine said, by heading.
type Sections = BTreeMap<String, String>;

fn said(world: &World) -> Result<&'static Sections> {
    static SAID: OnceLock<std::result::Result<Sections, String>> = OnceLock::new();
    let said = SAID.get_or_init(|| run(world).map_err(|e| format!("{e:#}")));
    said.as_ref().map_err(|e| anyhow!("{e}"))
}

fn run(world: &World) -> Result<Sections> {
    let materials = world.materials()?;
    let config = Config {
        load: false,
        append: "nokaslr nowatchdog".to_owned(),
        copies: vec![targets(materials)?],
        ..Config::of([Place::Bare])
    };
    let command = ["sh".to_owned(), "-c".to_owned(), script()];
    let text = Lab::run_deterministic(materials, &config, &command)?.ok("the known functions")?;
    let sections = text
        .split("\n= ")
        .filter_map(|section| section.split_once('\n'));
    Ok(sections
        .map(|(heading, body)| (heading.to_owned(), format!("{}\n", body.trim_end())))
        .collect())
}

fn section<'a>(sections: &'a Sections, heading: &str) -> Result<&'a str> {
    let section = sections.get(heading);
    Ok(section.with_context(|| format!("the machine said nothing of {heading}"))?)
}

fn report(sections: &Sections, heading: &str) -> Result<Report> {
    let stats = parse(section(sections, heading)?)?;
    Ok(Report::new(&stats, Options::default()))
}

fn is(what: &str, value: Option<f64>, truth: f64) -> Result<()> {
    let value = value.with_context(|| format!("{what} is not told"))?;
    ensure!(
        (value - truth).abs() <= TOLERANCE,
        "{what} is {value}, in truth {truth}"
    );
    Ok(())
}

fn exact(sections: &Sections, backend: &str) -> Result<()> {
    let report = report(sections, &format!("known {backend}"))?;
    for (length, calls) in [
        (10, CALLS),
        (100, CALLS),
        (1000, CALLS),
        (100_000, LONG_CALLS),
    ] {
        let known = stage(&report, &length.to_string())?;
        ensure!(
            (known.entries, known.count) == (calls, calls),
            "{length}: {} of {calls} calls entered, {} counted",
            known.entries,
            known.count
        );
        let corrected = known.corrected.as_ref().context("no correction")?;
        is(
            &format!("the mean of {length}"),
            corrected.mean,
            f64::from(length),
        )?;
        bounds(known, f64::from(length) + corrected.floor)?;
    }
    Ok(())
}

/// Every percentile's bounds hold the truth, as all calls are alike.
fn bounds(stage: &StageReport, truth: f64) -> Result<()> {
    // Few samples have no far tail.
    ensure!(stage.p50.is_some(), "no median");
    for quantile in [&stage.p50, &stage.p90, &stage.p99, &stage.p99_9]
        .into_iter()
        .flatten()
    {
        let (low, high) = (quantile.low as f64, quantile.high as f64);
        ensure!(
            low - TOLERANCE <= truth && truth <= high + TOLERANCE && high - low <= 0.125 * low,
            "{}: a percentile lies within {low}..{high}, in truth it is {truth}",
            stage.stage
        );
    }
    Ok(())
}

fn nested(sections: &Sections, backend: &str) -> Result<()> {
    let report = report(sections, &format!("known {backend}"))?;
    let alone = |name: &str, calls: u64, truth: f64| -> Result<()> {
        let outer = stage(&report, name)?;
        ensure!(
            (outer.count, outer.self_time.count) == (calls, calls),
            "{name}: {} of {calls} calls counted, {} of them with a self time",
            outer.count,
            outer.self_time.count
        );
        let corrected = outer.corrected.as_ref().context("no correction")?;
        is(&format!("self time of {name}"), corrected.self_mean, truth)
    };
    alone("nest", OUTER_CALLS, NEST_ALONE)?;
    let levels = DEPTH as f64 * LEVEL_ALONE + LEAF_ALONE;
    let calls = DEPTH + 1;
    alone("recurse", OUTER_CALLS * calls, levels / calls as f64)
}

/// How far ours and function_graph's mean of the same calls may be apart, as a share, what each says of an empty
/// function with the other armed taken off: function_graph's own time varies from call to call.
const GRAPH_TOLERANCE: f64 = 0.005;

fn graphed(sections: &Sections, backend: &str) -> Result<()> {
    let graph = section(sections, &format!("graph {backend}"))?;
    let theirs = |function: &str| -> Result<f64> {
        let lines = graph.lines().filter_map(|line| line.split_once(' '));
        let durations: Vec<f64> = lines
            .filter(|(_, name)| *name == function)
            .map(|(duration, _)| duration.parse())
            .collect::<Result<_, _>>()?;
        ensure!(
            durations.len() as u64 == GRAPHED_CALLS,
            "function_graph shows {} of {GRAPHED_CALLS} calls of {function}:\n{graph}",
            durations.len()
        );
        Ok(durations.iter().sum::<f64>() / durations.len() as f64)
    };
    let report = report(sections, &format!("graphed {backend}"))?;
    let ours = |name: &str| -> Result<f64> {
        let stage = stage(&report, name)?;
        ensure!(
            stage.count == GRAPHED_CALLS,
            "{} of {GRAPHED_CALLS} calls of {name}",
            stage.count
        );
        stage.mean_us.context("no mean")
    };
    let theirs = theirs("xcap_target_100000")? - theirs("xcap_target_0")?;
    let ours = ours("100000")? - ours("0")?;
    ensure!(
        (ours - theirs).abs() <= GRAPH_TOLERANCE * theirs,
        "xcap says {ours} µs, function_graph {theirs} µs"
    );
    Ok(())
}
