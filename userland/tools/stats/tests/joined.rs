// SPDX-License-Identifier: GPL-2.0

//! Stages that several functions are, and stages that none is.

use xcap_abi::record::COLUMNS;
use xcap_stats::{difference, parse, Options, Report};

/// A bare machine that captured some frames.
const BARE: &str = include_str!("../../read/tests/data/bare.stats");

/// The line of a stage, with columns changed.
fn line(stage: &str, changes: &[(&str, &str)]) -> String {
    let lines = BARE.lines().filter(|line| !line.starts_with('#'));
    let mut found = lines.filter(|line| line.split(' ').next() == Some(stage));
    let mut fields: Vec<&str> = found.next().unwrap().split(' ').collect();
    for (column, value) in changes {
        fields[COLUMNS.iter().position(|name| name == column).unwrap()] = value;
    }
    fields.join(" ") + "\n"
}

/// The same with no call.
fn idle(stage: &str, function: &str) -> String {
    let counts = [
        "count",
        "sum",
        "sumsq",
        "min",
        "max",
        "entries",
        "missed",
        "missed_pool",
        "missed_busy",
        "missed_straddled",
        "missed_negative",
        "in_flight",
        "migrated",
        "switched",
        "self_count",
        "self_sum",
        "work",
        "nested_cost",
        "nested_outside",
    ];
    let mut changes: Vec<_> = counts.iter().map(|&column| (column, "0")).collect();
    changes.extend([("function", function), ("histogram", "-")]);
    line(stage, &changes)
}

/// A file of these lines.
fn file(lines: &[String]) -> String {
    let header = BARE
        .lines()
        .filter(|line| line.starts_with("# ") && *line != "# end");
    let header: String = header.map(|line| format!("{line}\n")).collect();
    header + &lines.concat() + "# end\n"
}

fn report(lines: &[String]) -> Report {
    Report::new(&parse(&file(lines)).unwrap(), Options::default())
}

fn functions(report: &Report) -> Vec<(&str, &str, u64)> {
    let stages = report.stages.iter();
    stages
        .map(|stage| {
            let function = stage.function.as_deref().unwrap_or("-");
            (stage.stage.as_str(), function, stage.count)
        })
        .collect()
}

fn count(stage: &str) -> u64 {
    report(&[line(stage, &[])]).stages[0].count
}

#[test]
fn functions_that_were_called_are_added_up() {
    let other = line("deliver", &[("function", "tpacket_rcv")]);
    let report = report(&[
        line("deliver", &[]),
        other,
        idle("deliver", "xsk_generic_rcv"),
    ]);
    let calls = 2 * count("deliver");
    assert_eq!(
        functions(&report),
        [("deliver", "packet_rcv,tpacket_rcv", calls)]
    );
    assert!(report.stages[0].mean.is_some());
}

#[test]
fn one_that_was_not_called_hides_none_that_was() {
    let used = line("deliver", &[("function", "tpacket_rcv")]);
    let report = report(&[idle("deliver", "packet_rcv"), used]);
    assert_eq!(
        functions(&report),
        [("deliver", "tpacket_rcv", count("deliver"))]
    );
}

#[test]
fn where_none_was_called_the_first_is_shown() {
    let report = report(&[
        idle("deliver", "packet_rcv"),
        idle("deliver", "tpacket_rcv"),
    ]);
    assert_eq!(functions(&report), [("deliver", "packet_rcv", 0)]);
}

#[test]
fn what_calls_the_others_stands_for_them_only_where_there_is_none() {
    let poll = |function| line("deliver", &[("stage", "nic_poll"), ("function", function)]);
    let calls = count("deliver");
    let alone = report(&[poll("__napi_poll")]);
    assert_eq!(functions(&alone), [("nic_poll", "__napi_poll", calls)]);
    let beside = report(&[poll("igb_poll"), poll("__napi_poll")]);
    assert_eq!(functions(&beside), [("nic_poll", "igb_poll", calls)]);
    let quiet = report(&[idle("nic_poll", "igb_poll"), poll("__napi_poll")]);
    assert_eq!(functions(&quiet), [("nic_poll", "igb_poll", 0)]);
}

#[test]
fn functions_hooked_otherwise_stay_apart() {
    let other = line(
        "deliver",
        &[("function", "tpacket_rcv"), ("backend", "kretprobe")],
    );
    let report = report(&[line("deliver", &[("backend", "direct")]), other]);
    let calls = count("deliver");
    let apart = [
        ("deliver", "packet_rcv", calls),
        ("deliver", "tpacket_rcv", calls),
    ];
    assert_eq!(functions(&report), apart);
}

#[test]
fn of_two_readings_each_function_is_subtracted() {
    let second = || line("deliver", &[("function", "tpacket_rcv")]);
    let before = file(&[line("deliver", &[]), idle("deliver", "tpacket_rcv")]);
    let after = file(&[line("deliver", &[]), second()]);
    let between = difference(&parse(&before).unwrap(), &parse(&after).unwrap()).unwrap();
    let report = Report::new(&between, Options::default());
    assert_eq!(
        functions(&report),
        [("deliver", "tpacket_rcv", count("deliver"))]
    );
}

#[test]
fn a_stage_without_a_call_is_warned_of_where_frames_flow() {
    let flowing = [("count", "0"), ("entries", "100"), ("in_flight", "100")];
    let poll = || {
        let zeroed = idle("nic_poll", "igb_poll");
        let mut fields: Vec<&str> = zeroed.trim_end().split(' ').collect();
        for (column, value) in flowing {
            fields[COLUMNS.iter().position(|name| *name == column).unwrap()] = value;
        }
        fields.join(" ") + "\n"
    };
    let warned = |lines: &[String]| {
        let warnings = report(lines).warnings;
        warnings
            .into_iter()
            .find(|warning| warning.contains("no call"))
    };
    let said = warned(&[idle("nic_irq", "igb_msix_ring"), poll()]).unwrap();
    assert!(said.contains("(nic_irq)"), "{said}");
    assert_eq!(warned(&[line("nic_irq", &[]), poll()]), None);
    assert_eq!(warned(&[idle("nic_irq", "igb_msix_ring")]), None);
    // A file of some stages alone says nothing of others.
    assert_eq!(warned(&[poll()]), None);
}
