// SPDX-License-Identifier: GPL-2.0

//! Two results folders, compared.

mod common;

use std::fs;
use std::path::Path;

use common::{gathered, recorded, xcap_paper};
use serde_json::Value;

/// Results in which every self time of dom0's bridge is that part of what was recorded.
fn cheaper(results: &Path, part_of: u128) {
    let parts = tempfile::tempdir().unwrap();
    for file in fs::read_dir(recorded().join("xen-pv")).unwrap() {
        let file = file.unwrap();
        let mut part: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        if part["role"] == "dom0" {
            let text = part["after"]["stats"].as_str().unwrap();
            let columns = text
                .lines()
                .find_map(|line| line.strip_prefix("# columns "))
                .unwrap();
            let columns: Vec<&str> = columns.split(' ').collect();
            let at = columns
                .iter()
                .position(|column| *column == "self_sum")
                .unwrap();
            let lines = text.lines().map(|line| {
                let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
                if words[0] == "bridge" {
                    words[at] = (words[at].parse::<u128>().unwrap() / part_of).to_string();
                }
                words.join(" ") + "\n"
            });
            part["after"]["stats"] = Value::String(lines.collect());
        }
        fs::write(parts.path().join(file.file_name()), part.to_string()).unwrap();
    }
    let mut command = xcap_paper();
    command
        .arg("gather")
        .arg("--results")
        .arg(results)
        .arg(parts.path());
    command.assert().success();
}

fn compare(old: &Path, new: &Path, options: &[&str]) -> (Option<i32>, String) {
    let output = xcap_paper()
        .arg("compare")
        .arg(old)
        .arg(new)
        .args(options)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn what_is_the_same_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    gathered(&results);
    let (code, said) = compare(&results, &results, &["--fail-above", "1"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("xen-pv, all scenarios") && said.contains("native, all scenarios"),
        "{said}"
    );
    assert!(said.contains("No stage grew by more than 1.0"), "{said}");
    for line in said.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Twice the same means, with the spread that they have.
    let bridge = said
        .lines()
        .find(|line| line.starts_with("dom0 bridge"))
        .unwrap();
    assert!(bridge.contains("+0.0 %"), "{bridge}");
    // Two repetitions can't rule growth out, and strict wants that.
    assert_eq!(
        compare(&results, &results, &["--fail-above", "1", "--strict"]).0,
        Some(3)
    );
}

#[test]
fn what_grew_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    cheaper(&old, 10);
    cheaper(&new, 1);
    let (code, said) = compare(&old, &new, &["--fail-above", "20"]);
    assert_eq!(code, Some(3), "{said}");
    let bridge = said
        .lines()
        .find(|line| line.starts_with("dom0 bridge"))
        .unwrap();
    assert!(bridge.contains('!') && bridge.ends_with("more"), "{bridge}");
    assert_eq!(
        said.lines().filter(|line| line.contains('!')).count(),
        2,
        "{said}"
    );
    // Without a bound nothing fails; the other way round nothing grew.
    assert_eq!(compare(&old, &new, &[]).0, Some(0));
    assert_eq!(compare(&new, &old, &["--fail-above", "20"]).0, Some(0));
}

#[test]
fn programs_read_it_by_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    gathered(&results);
    let (_, said) = compare(&results, &results, &["--json", "--each"]);
    let comparison: Value = serde_json::from_str(&said).unwrap();
    let lines = comparison["lines"].as_array().unwrap();
    assert!(lines
        .iter()
        .all(|line| line["ratio"] == 1.0 && line["scenario"].is_string()));
    let output = xcap_paper()
        .args(["--schema", "comparison"])
        .output()
        .unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let known = &schema["$defs"]["Line"]["properties"];
    for key in lines[0].as_object().unwrap().keys() {
        assert!(known[key].is_object(), "{key}");
    }
}

#[test]
fn what_has_nothing_in_common_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (xen, native) = (folder.path().join("xen"), folder.path().join("native"));
    for (results, environment) in [(&xen, "xen-pv"), (&native, "native")] {
        let mut command = xcap_paper();
        command
            .arg("gather")
            .arg("--results")
            .arg(results)
            .arg(recorded().join(environment));
        command.assert().success();
    }
    let (code, said) = compare(&xen, &native, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("nothing to compare"), "{said}");
}
