// SPDX-License-Identifier: GPL-2.0

//! Each CPU's figures, and the order of stages.

use std::fs;

use assert_cmd::Command;
use predicates::str::contains;
use serde_json::Value;
use xcap_stats::{parse, parse_per_cpu};

/// dom0 at w0s0064.
const DOM0: &str = "tests/data/dom0.stats";

fn xcap_read() -> Command {
    Command::cargo_bin("xcap-read").unwrap()
}

/// What `per_cpu` had said, if CPU 0 and CPU 3 had each done the same; `change` edits the fields of CPU 3's lines.
fn per_cpu(change: impl Fn(&mut Vec<String>)) -> String {
    let text = fs::read_to_string(DOM0).unwrap();
    let lines = text.lines().map(|line| match line {
        "# end" => "# end\n".to_owned(),
        line if line.starts_with("# columns") => format!("{line} cpu\n"),
        line if line.starts_with('#') => format!("{line}\n"),
        line => {
            let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
            change(&mut fields);
            format!("{line} 0\n{} 3\n", fields.join(" "))
        }
    });
    lines.collect()
}

fn shown(text: String, arguments: &[&str]) -> String {
    let mut command = xcap_read();
    let run = command
        .args(["-", "--per-cpu"])
        .args(arguments)
        .write_stdin(text)
        .assert()
        .success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

#[test]
fn cpus_stand_below_their_stage() {
    let table = shown(per_cpu(|_| {}), &["--stage", "bridge"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip_while(|line| !line.starts_with("stage"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        ["stage", "cpu", "calls", "share", "mean", "cycles", "sd", "max", "missed"]
    );
    assert_eq!(rows[1][..5], ["bridge", "all", "20000", "100.0", "%"]);
    assert_eq!(rows[2][..4], ["0", "10000", "50.0", "%"]);
    assert_eq!(rows[3][..4], ["3", "10000", "50.0", "%"]);
    assert_eq!(rows.len(), 4);
    for line in shown(per_cpu(|_| {}), &[]).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn json_has_a_report_of_each_cpu() {
    let json: Value = serde_json::from_str(&shown(per_cpu(|_| {}), &["--json"])).unwrap();
    let cpus = json["cpus"].as_array().unwrap();
    let numbers: Vec<_> = cpus.iter().map(|one| one["cpu"].as_u64()).collect();
    assert_eq!(numbers, [Some(0), Some(3)]);
    assert_eq!(cpus[1]["report"]["stages"][0]["count"], 31);
}

#[test]
fn cpus_add_up() {
    let total = parse_per_cpu(&per_cpu(|_| {})).unwrap().total().unwrap();
    let one = parse(&fs::read_to_string(DOM0).unwrap()).unwrap();
    for (sum, one) in total.stages.iter().zip(&one.stages) {
        assert_eq!(
            (sum.count, sum.sum, sum.sumsq),
            (2 * one.count, 2 * one.sum, 2 * one.sumsq)
        );
        assert_eq!((sum.min, sum.max), (one.min, one.max));
        assert_eq!(sum.histogram.total(), 2 * one.histogram.total());
    }
}

#[test]
fn a_call_may_return_on_another_cpu_than_it_was_entered_on() {
    // 31 calls of the first stage returned on CPU 3, and were entered elsewhere.
    let text = per_cpu(|fields| {
        if fields[0] == "nic_irq" {
            fields[10] = "0".into();
            fields[16] = (u64::MAX - 30).to_string();
        }
    });
    let stages = parse_per_cpu(&text).unwrap().total().unwrap().stages;
    assert_eq!(
        (stages[0].entries, stages[0].count, stages[0].in_flight),
        (31, 62, u64::MAX - 30)
    );
    // What doesn't add up is refused all the same.
    let text = per_cpu(|fields| fields[10] = "7".into());
    let refused = parse_per_cpu(&text).unwrap_err().to_string();
    assert!(refused.contains("entries is 7"), "{refused}");
}

#[test]
fn calls_that_were_lost_on_no_known_cpu_are_shown() {
    let text = per_cpu(|_| {}).replace(
        "# end\n",
        "nic_irq f kretprobe armed - 0 0 0 0 0 5 5 0 5 0 0 0 0 0 0 0 0 0 0 - 1 - -\n# end\n",
    );
    let table = shown(text, &["--stage", "nic_irq"]);
    assert!(
        table
            .lines()
            .last()
            .unwrap()
            .trim_start()
            .starts_with("?  "),
        "{table}"
    );
}

#[test]
fn each_kind_of_file_is_told_from_the_other() {
    xcap_read()
        .arg("-")
        .write_stdin(per_cpu(|_| {}))
        .assert()
        .code(1)
        .stderr(contains("xcap-read --per-cpu reads them"));
    xcap_read()
        .args([DOM0, "--per-cpu"])
        .assert()
        .code(1)
        .stderr(contains("no column `cpu`"));
}

#[test]
fn stages_are_sorted_as_asked() {
    let order = |by: &str| -> Vec<String> {
        let run = xcap_read()
            .args([DOM0, "--json", "--sort", by])
            .assert()
            .success();
        let json: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
        let stages = json["stages"].as_array().unwrap().iter();
        stages
            .map(|stage| stage["stage"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order("path")[..3], ["nic_irq", "softirq", "nic_poll"]);
    assert_eq!(order("name")[..2], ["bridge", "copy"]);
    assert_eq!(order("mean")[..2], ["softirq", "nic_poll"]);
    assert_eq!(order("total")[..2], ["nic_poll", "softirq"]);
    let mut names = order("calls");
    names.sort();
    assert_eq!(names, order("name"));
    xcap_read()
        .args([DOM0, "--sort", "beauty"])
        .assert()
        .code(2);
}
