// SPDX-License-Identifier: GPL-2.0

//! Metrics, as others' parsers understand them.

use std::fs;

use assert_cmd::Command;
use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;
use predicates::str::contains;
use xcap_stats::load;

/// dom0 at w0s0064.
const DOM0: &str = "tests/data/dom0.stats";

/// A domU with a trapped TSC, and kretprobes that missed.
const LOSSY: &str = "tests/data/domU-lossy.stats";

fn xcap_read() -> Command {
    Command::cargo_bin("xcap-read").unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let run = xcap_read().args(arguments).assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// This parser wants no unit of a histogram; OpenMetrics says that it may have one, and Prometheus takes it.
fn parsed(text: &str) {
    let text = text.replace("# UNIT xcap_call_cycles cycles\n", "");
    parse_openmetrics(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
}

/// The value of a line that begins with `sample`.
fn value<'a>(text: &'a str, sample: &str) -> &'a str {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{sample} ")));
    let line = line.unwrap_or_else(|| panic!("no {sample} in {text}"));
    line.rsplit(' ').next().unwrap()
}

#[test]
fn openmetrics_is_what_its_parser_takes() {
    for file in [DOM0, LOSSY, "tests/data/bare.stats"] {
        let text = printed(&[file, "--openmetrics"]);
        parsed(&text);
        assert!(text.ends_with("# EOF\n"));
    }
}

#[test]
fn units_are_told_and_counters_end_in_total() {
    let text = printed(&[DOM0, "--openmetrics"]);
    let mut kind = "";
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "TYPE", _, of] => kind = of,
            ["#", "UNIT", name, unit] => assert!(name.ends_with(&format!("_{unit}")), "{line}"),
            ["#", ..] => {}
            _ => {
                let name = line.split(['{', ' ']).next().unwrap();
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            }
        }
    }
    for unit in [
        "xcap_call_cycles cycles",
        "xcap_self_cycles cycles",
        "xcap_tsc_hertz hertz",
    ] {
        assert!(text.contains(&format!("# UNIT {unit}\n")), "{unit}");
    }
}

#[test]
fn figures_are_those_that_were_read() {
    let text = printed(&[DOM0, "--openmetrics"]);
    let stats = load(DOM0.as_ref()).unwrap();
    for stage in &stats.stages {
        let of = |name: &str| value(&text, &format!("{name}{{stage=\"{}\"}}", stage.stage));
        assert_eq!(of("xcap_call_cycles_count"), stage.count.to_string());
        assert_eq!(of("xcap_call_cycles_sum"), stage.sum.to_string());
        assert_eq!(of("xcap_self_cycles_total"), stage.self_sum.to_string());
        assert_eq!(of("xcap_entries_total"), stage.entries.to_string());
        let all = format!(
            "xcap_call_cycles_bucket{{stage=\"{}\",le=\"+Inf\"}}",
            stage.stage
        );
        assert_eq!(value(&text, &all), stage.count.to_string());
    }
    assert_eq!(value(&text, "xcap_tsc_hertz"), "2600000000");
    assert_eq!(value(&text, "xcap_up"), "1");
    let lossy = printed(&[LOSSY, "--openmetrics"]);
    assert_eq!(value(&lossy, "xcap_tsc_trapped"), "1");
    let pool = "xcap_missed_calls_total{stage=\"recvmsg\",cause=\"pool\"}";
    assert_eq!(value(&lossy, pool), "4");
}

#[test]
fn more_buckets_are_to_be_had_on_request() {
    let of = |number: &str| {
        let text = printed(&[DOM0, "--openmetrics", "--buckets", number]);
        parsed(&text);
        text.matches("xcap_call_cycles_bucket{stage=\"copy\"")
            .count()
    };
    assert_eq!((of("1"), of("2"), of("8")), (29, 56, 218));
    xcap_read().args(["--buckets", "3"]).assert().code(2);
}

#[test]
fn the_textfile_is_in_the_format_of_its_collector() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("xcap.prom");
    let run = |from: &str| xcap_read().args([from, "--textfile"]).arg(&file).assert();
    run(DOM0).success().stdout("");
    let text = fs::read_to_string(&file).unwrap();
    parse_prometheus(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(text.contains("# TYPE xcap_entries_total counter\n"));
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"));

    // Old figures don't stay.
    run("/nowhere/stats")
        .code(1)
        .stderr(contains("cannot read '/nowhere/stats'"));
    let text = fs::read_to_string(&file).unwrap();
    parse_prometheus(&text).unwrap();
    assert_eq!(value(&text, "xcap_up"), "0");
    assert!(!text.contains("xcap_call_cycles"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_textfile_that_cannot_be_written_is_said() {
    xcap_read()
        .args([DOM0, "--textfile", "/nowhere/xcap.prom"])
        .assert()
        .code(1)
        .stderr(contains("cannot write '/nowhere/xcap.prom'"));
}

#[test]
fn one_form_at_a_time() {
    for pair in [["--json", "--openmetrics"], ["--openmetrics", "--watch"]] {
        xcap_read().arg(DOM0).args(pair).assert().code(2);
    }
}
