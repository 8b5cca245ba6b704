// SPDX-License-Identifier: GPL-2.0

//! xcap-read as a person or a script runs it.

mod edited;

use std::fs;
use std::io::Read;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use edited::{Edited, DOM0, LOSSY};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use xcap_stats::Report;

fn xcap_read() -> Command {
    Command::cargo_bin("xcap-read").unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let run = xcap_read().arg("--json").args(arguments).assert().success();
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn stage<'a>(report: &'a Value, name: &str) -> &'a Value {
    let stages = report["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["stage"] == name).unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let run = xcap_read().args(arguments).assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// Runs on `text` by standard input and expects one line on stderr with `message`.
fn refuses(text: &str, message: &str) {
    xcap_read()
        .arg("-")
        .write_stdin(text)
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains(message).and(predicate::function(|stderr: &str| {
            stderr.starts_with("xcap-read: ") && stderr.lines().count() == 1
        })));
}

#[test]
fn table_fits_eighty_columns_when_piped() {
    insta::assert_snapshot!(stdout(&[DOM0, "--percentiles"]));
    insta::assert_snapshot!(stdout(&[LOSSY, "--ci", "99"]));
    for line in stdout(&[DOM0, "--percentiles"]).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn histogram_fits_eighty_columns_when_piped() {
    let drawn = stdout(&[DOM0, "--histogram", "copy"]);
    insta::assert_snapshot!(drawn);
    for line in drawn.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn json_holds_the_raw_figures_and_what_follows() {
    let report = json(&[DOM0]);
    assert_eq!(report["format"], 1);
    assert_eq!(report["kernel"], "7.3.4+deb13-amd64");
    assert_eq!(report["role"], "dom0");
    assert_eq!(report["tsc_khz"], 2_600_000);
    assert_eq!(report["tsc"]["trapped"], false);
    assert_eq!(report["stages"].as_array().unwrap().len(), 12);

    let poll = stage(&report, "nic_poll");
    assert_eq!(poll["function"], "e1000e_poll");
    assert_eq!(poll["backend"], "direct");
    assert_eq!(poll["state"], "armed");
    assert_eq!(poll["explanation"], Value::Null);
    let (count, sum, work) = (182.0, poll["sum"].as_f64().unwrap(), 10_000.0);
    assert_eq!(poll["count"], count as u64);
    assert_eq!(poll["mean"].as_f64().unwrap(), sum / count);
    assert_eq!(poll["cycles_per_work"].as_f64().unwrap(), sum / work);
    let corrected = &poll["corrected"];
    let floor = 60_017.0 / 10_000.0;
    let nested = poll["nested_cost"].as_f64().unwrap() / count;
    let expected = sum / count - floor - nested;
    assert!((corrected["mean"].as_f64().unwrap() - expected).abs() < 1e-6);
    let buckets = poll["histogram"].as_array().unwrap();
    let held: u64 = buckets.iter().map(|b| b["count"].as_u64().unwrap()).sum();
    assert_eq!(held, 182);

    let deliver = stage(&report, "deliver");
    assert_eq!(
        (&deliver["state"], &deliver["count"]),
        (&"armed".into(), &0.into())
    );
    assert_eq!(
        (&deliver["mean"], &deliver["min"]),
        (&Value::Null, &Value::Null)
    );
    let timer = stage(&report, "timer_irq");
    assert_eq!(timer["state"], "absent");
    assert_eq!(timer["reason"], "no_such_function");
    assert_eq!(timer["function"], Value::Null);
    assert!(timer["explanation"].is_string());
}

#[test]
fn json_reads_back_as_it_was() {
    for file in [DOM0, LOSSY, "tests/data/bare.stats"] {
        let text = stdout(&["--json", file]);
        let report: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string_pretty(&report).unwrap() + "\n", text);
    }
}

#[test]
fn integers_past_two_to_53_are_strings() {
    let (low, high) = (1_u128 << 53, (1_u128 << 53) + 1);
    for (value, expected) in [
        (low, serde_json::json!(1_u64 << 53)),
        (high, "9007199254740993".into()),
    ] {
        let text = Edited::new(DOM0)
            .set("nic_poll", "nested_cost", value)
            .text();
        let run = xcap_read()
            .args(["--json", "-"])
            .write_stdin(text)
            .assert()
            .success();
        let report: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
        assert_eq!(stage(&report, "nic_poll")["nested_cost"], expected);
    }
}

#[test]
fn level_changes_the_interval_and_leaves_ci95() {
    let (usual, wide) = (json(&[DOM0]), json(&[DOM0, "--ci", "99"]));
    let (usual, wide) = (stage(&usual, "bridge"), stage(&wide, "bridge"));
    assert_eq!(usual["ci95"], usual["ci"]["half_width"]);
    assert_eq!(usual["ci95"], wide["ci95"]);
    assert_eq!(wide["ci"]["level"], 99.0);
    let ratio = wide["ci"]["half_width"].as_f64().unwrap() / usual["ci95"].as_f64().unwrap();
    // Student's t with 9999 degrees of freedom: 2.576321 / 1.960201.
    assert!((ratio - 1.314_315).abs() < 1e-5, "{ratio}");
}

#[test]
fn cost_is_hot_by_default_cold_or_none_on_request() {
    let mean = |arguments: &[&str]| json(arguments)["stages"][0]["corrected"]["mean"].as_f64();
    let (hot, cold) = (
        mean(&[DOM0]).unwrap(),
        mean(&[DOM0, "--cost", "cold"]).unwrap(),
    );
    assert!((hot - cold - (60.005 - 6.0017)).abs() < 1e-6);
    assert_eq!(mean(&[DOM0, "--cost", "none"]), None);
}

#[test]
fn without_known_cost_it_says_uncorrected() {
    let text = fs::read_to_string(DOM0).unwrap();
    let bare: String = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("# cost"))
        .collect();
    let run = xcap_read().arg("-").write_stdin(bare).assert().success();
    run.stdout(contains("warning: uncorrected").and(contains("direct")));
}

#[test]
fn stage_filter_shows_that_stage_only() {
    let shown = stdout(&[DOM0, "--stage", "bridge"]);
    assert!(shown.contains("br_handle_frame") && !shown.contains("netback"));
    xcap_read()
        .args([DOM0, "--stage", "brigde"])
        .assert()
        .code(1)
        .stderr(contains("no stage 'brigde', there are: nic_irq softirq"));
}

#[test]
fn unknown_header_lines_and_columns_at_the_end_are_skipped() {
    let text = fs::read_to_string(DOM0).unwrap();
    let grown: String = text
        .lines()
        .map(|line| match line.split_once(' ') {
            Some(("#", rest)) if rest.starts_with("columns") => {
                format!("# moon full\n{line} gap\n")
            }
            Some(("#", _)) => format!("{line}\n"),
            _ => format!("{line} 7\n"),
        })
        .collect();
    let run = xcap_read()
        .args(["--json", "-"])
        .write_stdin(grown)
        .assert()
        .success();
    let report: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(report, json(&[DOM0]));
}

#[test]
fn damaged_files_are_refused_with_their_line() {
    let text = fs::read_to_string(DOM0).unwrap();
    let lines = text.lines().count();
    refuses("", "standard input line 1: truncated: the file is empty");
    refuses("hello\n", "line 1: not an xcap stats file");
    refuses(
        &text.replacen("stats 1", "stats 2", 1),
        "line 1: format version '2'",
    );
    refuses(
        text.trim_end(),
        &format!("line {lines}: truncated: the line has no end"),
    );
    refuses(
        &text[..text.len() - 40],
        &format!("line {}: truncated", lines - 1),
    );
    refuses(
        text.strip_suffix("# end\n").unwrap(),
        &format!("line {}: truncated: no line `# end` follows", lines - 1),
    );
    refuses(
        &format!("{text}{text}"),
        &format!("line {}: a line after `# end`", lines + 1),
    );
    let header_end = text.find("# columns").unwrap();
    refuses(&text[..header_end], "truncated: no header line `# columns`");
    refuses(
        &text.replacen("# kernel", "# colonel", 1),
        "no header line `# kernel`",
    );
    refuses(
        &text.replacen(" sumsq ", " squares ", 1),
        "`# columns` lacks sumsq",
    );
    refuses(
        &text.replacen(" exact histogram\n", "\n", 1),
        "`# columns` lacks exact",
    );
    refuses(
        &text.replacen("invariant=1", "invariant=yes", 1),
        "line 6: invariant is 'yes'",
    );
    refuses(
        &text.replacen("nic_irq e1000_intr_msix_rx ", "nic_irq ", 1),
        "line 15: 26 fields",
    );
}

#[test]
fn file_that_is_not_text_is_refused() {
    xcap_read()
        .arg("-")
        .write_stdin(&b"# xcap stats 1\n\xff\xfe\n"[..])
        .assert()
        .code(1)
        .stderr(contains("line 2: not text"));
}

#[test]
fn figures_that_contradict_each_other_are_refused() {
    for (column, value, message) in [
        (
            "count",
            30,
            "nic_irq: entries is 31, count + missed + in_flight is 30",
        ),
        (
            "entries",
            32,
            "nic_irq: entries is 32, count + missed + in_flight is 31",
        ),
        ("missed", 1, "nic_irq: missed is 1, its causes add up to 0"),
        (
            "sum",
            1_000_000,
            "nic_irq: no 31 samples have sum 1000000 and sumsq 7312404486",
        ),
        (
            "sumsq",
            1,
            "nic_irq: no 31 samples have sum 434628 and sumsq 1",
        ),
        (
            "self_sum",
            434_629,
            "nic_irq: self_sum is 434629, sum only 434628",
        ),
        ("min", 1_000_000, "nic_irq: no 31 samples from 1000000"),
        ("max", 10_000, "nic_irq: no 31 samples from 4160 to 10000"),
        (
            "max",
            1_000_000,
            "nic_irq: max is 1000000, the histogram says otherwise",
        ),
        (
            "migrated",
            1,
            "nic_irq: self_count + migrated + switched is 32, count only 31",
        ),
    ] {
        let text = Edited::new(DOM0).set("nic_irq", column, value).text();
        refuses(
            &text,
            &format!("line 15: {}", message.split("nic_irq").next().unwrap()),
        );
        refuses(&text, message);
    }
    let text = Edited::new(DOM0)
        .set("nic_irq", "histogram", "83:30")
        .text();
    refuses(&text, "nic_irq: count is 31, the histogram holds 30");
    for (histogram, message) in [
        ("496:31", "histogram has a bucket 496, the last is 495"),
        ("83:30,83:1", "histogram has bucket 83 twice"),
        ("83", "'83' in histogram is not bucket:count"),
        ("83:+1", "histogram is '+1'"),
    ] {
        let text = Edited::new(DOM0)
            .set("nic_irq", "histogram", histogram)
            .text();
        refuses(&text, message);
    }
}

#[test]
fn approximate_figures_may_contradict_and_are_warned_of() {
    let text = Edited::new(DOM0)
        .set("nic_irq", "entries", 32)
        .set("nic_irq", "exact", 0)
        .text();
    let run = xcap_read().arg("-").write_stdin(text).assert().success();
    run.stdout(contains("warning: approximate").and(contains("nic_irq")));
}

#[test]
fn trapped_clock_and_losses_are_warned_of_with_what_to_do() {
    let shown = stdout(&[LOSSY]).replace('\n', " ");
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "traps every read of the TSC (5012 cycles each)",
        "tsc_mode=\"native\"",
        "not recording: echo start > /sys/kernel/debug/xcap/control",
        "974 calls missed because they hit inside another probe's handler (softirq, nic_poll, deliver)",
        "4 calls missed because all probe instances were in use (recvmsg)",
        "3 calls ended on another CPU",
        "approximate",
    ] {
        assert!(shown.contains(expected), "{expected}");
    }
    assert!(!stdout(&[DOM0]).contains("warning"));
}

#[test]
fn difference_of_two_readings_is_what_came_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before");
    // The first of the two: as the second, less one call, the longest.
    let longest = 26_713;
    let now = json(&[DOM0]);
    let figure = |name: &str| stage(&now, "nic_irq")[name].as_u64().unwrap();
    let text = Edited::new(DOM0)
        .set("nic_irq", "count", 30)
        .set("nic_irq", "entries", 30)
        .set("nic_irq", "self_count", 30)
        .set("nic_irq", "sum", figure("sum") - longest)
        .set("nic_irq", "self_sum", figure("sum") - longest)
        .set("nic_irq", "sumsq", figure("sumsq") - longest * longest)
        .set("nic_irq", "max", 26_000)
        .drop_from_histogram("nic_irq", longest)
        .text();
    fs::write(&before, text).unwrap();

    let between = json(&["--diff", before.to_str().unwrap(), DOM0]);
    assert_eq!(between["is_difference"], true);
    let irq = stage(&between, "nic_irq");
    assert_eq!(irq["count"], 1);
    assert_eq!(irq["sum"], longest);
    assert_eq!(irq["mean"], longest as f64);
    assert_eq!(irq["max"], Value::Null);
    assert_eq!(irq["histogram"].as_array().unwrap().len(), 1);
    assert_eq!(stage(&between, "bridge")["count"], 0);

    xcap_read()
        .args(["--diff", DOM0, before.to_str().unwrap()])
        .assert()
        .code(1)
        .stderr(contains("count of nic_irq fell from 31 to 30"));
    xcap_read()
        .args(["--diff", DOM0, LOSSY])
        .assert()
        .code(1)
        .stderr(contains("role was 'dom0' before and 'domU-pv' after"));
}

#[test]
fn missing_files_are_named() {
    xcap_read()
        .arg("/nowhere/stats")
        .assert()
        .code(1)
        .stderr(contains("cannot read '/nowhere/stats': No such file"));
}

#[test]
fn wrong_usage_exits_with_two() {
    for arguments in [
        &["--ci", "0"][..],
        &["--ci", "100"],
        &["--ci", "NaN"],
        &["--ci", "wide"],
        &["--cost", "warm"],
        &["--diff", DOM0],
        &["--watch", "0"],
        &["--nonsense"],
    ] {
        xcap_read().args(arguments).assert().code(2);
    }
}

#[test]
fn reader_that_goes_away_ends_it_quietly() {
    let mut child = Process::new(env!("CARGO_BIN_EXE_xcap-read"))
        .args([DOM0, "--watch", "0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
