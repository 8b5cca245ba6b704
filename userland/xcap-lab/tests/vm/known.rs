//! Functions of known length, on the machine where an instruction is a cycle: what xcap says of them is true.

use crate::asleep::BACKENDS;
use crate::world::{stage, targets, World};
use anyhow::{anyhow, ensure, Context, Result};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use xcap_lab::{Config, Lab, Where};
use xcap_read::parse;
use xcap_read::report::{Options, Report, StageReport};

/// How far a corrected mean may be from the truth, in instructions.
const TOLERANCE: f64 = 1.0;

/// Calls of each function, a prime; fewer of the longest.
const CALLS: u64 = 1009;
const LONG_CALLS: u64 = 11;

/// Calls of what nests, and how deep the recursion goes.
const OUTER_CALLS: u64 = 101;
const DEPTH: u64 = 3;

/// What an outer function does itself, as lab/targets/functions.h has it: the call of the inner one is its own.
const NEST_ALONE: f64 = 24.0;
const LEVEL_ALONE: f64 = 24.0;
const LEAF_ALONE: f64 = 3.0;

/// Calls that ftrace's function_graph times with us.
const GRAPHED_CALLS: u64 = 23;

/// Time costs nothing on this machine: it sleeps until what goes on after boot is over.
fn script() -> String {
    format!(
        r#"
insmod /lab/targets/xcap_targets.ko && insmod /lab/xcap.ko || exit 1
control=/sys/kernel/debug/xcap/control
call=/sys/kernel/debug/xcap_targets/call
figures() {{ grep -E '^(# |10+ |nest |recurse |graphed )' /sys/kernel/debug/xcap/stats; }}
sleep 20
for backend in kretprobe fprobe direct; do
	for target in 10 100 1000 100000 nest recurse; do
		echo "add xcap_target_$target as $target backend=$backend" >$control || exit 1
	done
	echo reset >$control
	for length in 10 100 1000; do echo xcap_target_$length {CALLS} >$call; done
	echo xcap_target_100000 {LONG_CALLS} >$call
	echo xcap_target_nest {OUTER_CALLS} >$call
	echo xcap_target_recurse {OUTER_CALLS} {DEPTH} >$call
	echo; echo "= known $backend"
	figures
	for target in 10 100 1000 100000 nest recurse; do echo del $target >$control; done
done
cd /sys/kernel/tracing
echo xcap_target_0 xcap_target_100000 >set_ftrace_filter
echo function_graph >current_tracer
for backend in kretprobe fprobe direct; do
	echo "add xcap_target_100000 as graphed backend=$backend" >$control || exit 1
	echo >trace
	echo xcap_target_0 {GRAPHED_CALLS} >$call
	echo xcap_target_100000 {GRAPHED_CALLS} >$call
	echo; echo "= graph $backend"
	sed -n 's/.* \([0-9.]*\) us .* \(xcap_target_[0-9]*\) .*/\1 \2/p' trace
	echo; echo "= graphed $backend"
	figures
	echo del graphed >$control
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
            trials.push(Trial::test(name, move || {
                let run = said(world).and_then(|sections| check(sections, backend));
                run.map_err(|e| Failed::from(format!("{e:#}")))
            }));
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
        ..Config::of([Where::Bare])
    };
    let command = ["sh".to_owned(), "-c".to_owned(), script()];
    let text = Lab::run_deterministic(materials, &config, &command)?.ok("the known functions")?;
    let sections = text
        .split("= ")
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
        (100, CALLS + OUTER_CALLS),
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
    for quantile in [&stage.p50, &stage.p90, &stage.p99, &stage.p99_9] {
        let quantile = quantile.as_ref().context("no percentile")?;
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

/// Means of the same calls differ by no more than what the two tools add to each.
fn graphed(sections: &Sections, backend: &str) -> Result<()> {
    let graph = section(sections, &format!("graph {backend}"))?;
    let mean_us = |function: &str| -> Result<f64> {
        let mut all = Vec::new();
        for line in graph
            .lines()
            .filter(|line| line.ends_with(&format!(" {function}")))
        {
            all.push(line.split(' ').next().unwrap_or_default().parse::<f64>()?);
        }
        ensure!(
            all.len() as u64 == GRAPHED_CALLS,
            "function_graph shows {} of {GRAPHED_CALLS} calls of {function}:\n{graph}",
            all.len()
        );
        Ok(all.iter().sum::<f64>() / all.len() as f64)
    };
    let (empty, theirs) = (mean_us("xcap_target_0")?, mean_us("xcap_target_100000")?);
    let report = report(sections, &format!("graphed {backend}"))?;
    let ours = stage(&report, "graphed")?;
    ensure!(
        ours.count == GRAPHED_CALLS,
        "{} of {GRAPHED_CALLS} calls",
        ours.count
    );
    let cost = report
        .costs
        .iter()
        .find(|cost| cost.backend == backend && cost.cache == "hot")
        .context("the cost of the backend is not told")?;
    let cycles = cost.inside_mean.unwrap_or(0.0) + cost.outside_mean.unwrap_or(0.0);
    let floors = empty + cycles / report.tsc_khz as f64 * 1000.0;
    let ours = ours.mean_us.context("no mean")?;
    ensure!(
        (ours - theirs).abs() <= floors,
        "xcap says {ours} µs, function_graph {theirs} µs: more than {floors} µs apart"
    );
    Ok(())
}
