// SPDX-License-Identifier: GPL-2.0

//! What the programs say of a machine, and what each CPU measured.

use crate::labs::{On, World};
use crate::world::{control, load_targets, reload, stage, unload, until, Stages, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use serde_json::Value;
use xcap_abi::paths::{PER_CPU, STATS};
use xcap_guest::protocol::Terminal;
use xcap_machines::{Config, Guest, Lab, Place};
use xcap_stats::{parse, parse_per_cpu, Report};

/// Calls on the one CPU, and on the other.
const CALLS: [u64; 2] = [1_009, 47];

pub fn trials(world: &'static World) -> Vec<Trial> {
    let unplugged = |name: &str, act: fn(&Guest) -> Result<()>| {
        world.trial(name, On::Unplugged, move |lab| act(lab.guest(Place::Bare)))
    };
    vec![
        unplugged("cpus_add_up_to_what_stats_says", cpus_add_up),
        unplugged("the_manual_s_examples_run_as_they_stand", examples),
        unplugged("the_doctor_foretells_what_the_module_finds", doctor),
        unplugged("keys_reset_stop_and_start_what_is_watched", keys),
        world.own_trial("what_keeps_the_module_away_is_said", || away(world)),
    ]
}

fn cpus_add_up(guest: &Guest) -> Result<()> {
    reload(guest, Stages::These("timer_irq"))?;
    load_targets(guest)?;
    control(guest, "add xcap_target_10 as target")?;
    control(guest, "reset")?;
    for (cpu, calls) in CALLS.into_iter().enumerate() {
        let call = format!("echo xcap_target_10 {calls} >/sys/kernel/debug/xcap_targets/call");
        guest.sh(&format!("taskset {:x} sh -c '{call}'", 1 << cpu))?;
    }
    control(guest, "stop")?;
    let stats = parse(&guest.sh(&format!("cat {STATS}"))?)?;
    let per_cpu = parse_per_cpu(&guest.sh(&format!("cat {PER_CPU}"))?)?;
    for (cpu, calls) in CALLS.into_iter().enumerate() {
        let one = per_cpu.cpus.iter().find(|one| one.cpu == Some(cpu as u32));
        let one = one.with_context(|| format!("nothing of CPU {cpu}"))?;
        let target = one
            .stats
            .stages
            .iter()
            .find(|stage| stage.stage == "target");
        let counted = target.map(|stage| (stage.count, stage.exact));
        ensure!(
            counted == Some((calls, true)),
            "CPU {cpu}: {counted:?}, not {calls} calls"
        );
    }
    let total = per_cpu.total().context("no CPU has anything")?;
    let called: Vec<_> = stats
        .stages
        .iter()
        .filter(|stage| stage.entries > 0)
        .collect();
    ensure!(called.len() > 1, "only {called:?} was called");
    for stage in called {
        let sum = total.stages.iter().find(|sum| sum.stage == stage.stage);
        ensure!(
            sum == Some(stage),
            "the CPUs' sum is {sum:?}, stats says {stage:?}"
        );
    }
    let shown = guest.sh("xcap-read --per-cpu --stage target")?;
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains(" %")).collect();
    ensure!(lines.len() == 3 && lines[0].contains("1056"), "{shown}");
    Ok(())
}

/// What stands in the section EXAMPLES of the written pages, by the roff that it is written in.
fn examples(guest: &Guest) -> Result<()> {
    reload(guest, Stages::All)?;
    let mut run = 0;
    for page in xcap_manual::man()?
        .iter()
        .filter(|page| !page.path.starts_with("man/man1"))
    {
        let text = std::str::from_utf8(&page.text)?;
        let section = text.split_once(".SH EXAMPLES").context("no examples")?.1;
        let section = section.split_once("\n.SH").context("nothing follows")?.0;
        for example in section.split(".nf\n").skip(1) {
            let example = example
                .split_once(".fi")
                .context("an example without end")?
                .0;
            let script = example.replace("\\-", "-").replace("\\e", "\\");
            let said = guest.sh(&format!("set -e\n{script}"))?;
            ensure!(!said.trim().is_empty(), "it prints nothing: {script}");
            run += 1;
        }
    }
    ensure!(run >= 4, "only {run} examples");
    Ok(())
}

/// What `xcap-doctor --json` says, and its exit code.
fn examined(guest: &Guest) -> Result<(Value, i32)> {
    let output = guest.run(&["xcap-doctor", "--json"])?;
    let said = serde_json::from_str(&output.text());
    Ok((
        said.with_context(|| output.error_text())?,
        output.exit_code(),
    ))
}

/// The stages that are armed, or would be, with their functions.
fn armed(examination: &Value) -> Result<Vec<(&Value, &Value)>> {
    let stages = examination["stages"].as_array().context("no stages")?;
    let armed = stages.iter().filter(|stage| stage["armed"] == true);
    Ok(armed
        .map(|stage| (&stage["stage"], &stage["function"]))
        .collect())
}

fn check<'a>(examination: &'a Value, subject: &str) -> Result<&'a Value> {
    let mut checks = examination["checks"]
        .as_array()
        .context("no checks")?
        .iter();
    checks
        .find(|check| check["subject"] == subject)
        .with_context(|| format!("nothing of {subject}"))
}

fn doctor(guest: &Guest) -> Result<()> {
    reload(guest, Stages::All)?;
    let (loaded, code) = examined(guest)?;
    ensure!(loaded["loaded"] == true, "{loaded}");
    ensure!(check(&loaded, "module")?["verdict"] == "good", "{loaded}");
    // An emulated clock is not invariant.
    ensure!(
        check(&loaded, "clock")?["verdict"] == "bad" && code == 3,
        "exit code {code}: {loaded}"
    );
    ensure!(check(&loaded, "tracers")?["verdict"] == "good", "{loaded}");
    let screen = guest.run(&["xcap-doctor"])?.text();
    for line in screen.lines() {
        ensure!(line.chars().count() <= 80, "too wide: {line}");
    }
    ensure!(
        screen.lines().count() <= 40,
        "more than a screen:\n{screen}"
    );

    control(guest, "stop")?;
    let (stopped, _) = examined(guest)?;
    let advice = &check(&stopped, "module")?["advice"];
    ensure!(
        advice
            .as_str()
            .is_some_and(|advice| advice.contains("echo start")),
        "{stopped}"
    );

    unload(guest)?;
    let (foretold, code) = examined(guest)?;
    ensure!(
        foretold["loaded"] == false && code == 1,
        "exit code {code}: {foretold}"
    );
    ensure!(
        check(&foretold, "module")?["verdict"] == "fatal",
        "{foretold}"
    );
    let found = armed(&loaded)?;
    let foretold = armed(&foretold)?;
    ensure!(foretold == found, "foretold {foretold:?}, found {found:?}");
    Ok(())
}

/// What is pressed takes effect, as the module tells.
fn keys(guest: &Guest) -> Result<()> {
    reload(guest, Stages::Few)?;
    load_targets(guest)?;
    control(guest, "add xcap_target_10 as target")?;
    guest.sh("echo xcap_target_10 23 >/sys/kernel/debug/xcap_targets/call")?;
    let terminal = Terminal {
        name: "xterm".into(),
        rows: 24,
        columns: 80,
    };
    let watch = guest.spawn_on_terminal(&["xcap-read", "--watch", "0.1"], terminal)?;
    watch.send(b"s")?;
    let stopped = until(guest, "s stops it", |report| {
        report.recording == Some(false)
    })?;
    ensure!(stage(&stopped, "target")?.count == 23, "{stopped:?}");
    watch.send(b"s")?;
    until(guest, "s starts it", |report| {
        report.recording == Some(true)
    })?;
    watch.send(b"r")?;
    let forgotten = |report: &Report| report.stage("target").is_some_and(|stage| stage.count == 0);
    until(guest, "r resets it", forgotten)?;
    watch.send(b"q")?;
    let drawn = watch.wait(PATIENCE)?.ok("xcap-read --watch")?;
    ensure!(
        drawn.contains("STOPPED") && drawn.contains("recording"),
        "{drawn}"
    );
    Ok(())
}

/// What `xcap-read` says when it has nothing to show.
fn refusal(guest: &Guest, before: &str) -> Result<String> {
    guest.sh(before)?;
    let output = guest.run(&["xcap-read"])?;
    ensure!(
        output.exit_code() == 1,
        "{before}: exit code {}",
        output.exit_code()
    );
    Ok(output.error_text())
}

fn away(world: &World) -> Result<()> {
    let config = Config {
        load: false,
        ..Config::of([Place::Bare])
    };
    let mut lab = Lab::boot(world.materials()?, &config)?;
    told_why(lab.guest(Place::Bare)).map_err(|error| lab.explain(error))
}

fn told_why(guest: &Guest) -> Result<()> {
    for (before, expected) in [
        ("true", "isn't built for this kernel"),
        (
            "mkdir -p /lib/modules/$(uname -r)/extra; cp /lab/xcap.ko /lib/modules/$(uname -r)/extra",
            "insmod /lib/modules/",
        ),
        (
            "insmod /lab/xcap.ko; umount /sys/kernel/debug",
            "mount -t debugfs",
        ),
        // What is loaded can be read, and not be told anything.
        (
            "mount -t debugfs none /sys/kernel/debug
             mount -t securityfs none /sys/kernel/security
             echo confidentiality >/sys/kernel/security/lockdown
             set -e
             xcap-read >/dev/null
             ! echo reset 2>/dev/null >/sys/kernel/debug/xcap/control
             xcap-doctor | grep -q 'confidentiality: modules have to be signed'
             rmmod xcap",
            "has no signature",
        ),
        (
            "echo 1 >/proc/sys/kernel/modules_disabled",
            "no more modules",
        ),
    ] {
        let said = refusal(guest, before)?;
        ensure!(
            said.contains(expected),
            "after {before}: no '{expected}' in: {said}"
        );
    }
    Ok(())
}
