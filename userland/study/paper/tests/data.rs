// SPDX-License-Identifier: GPL-2.0

//! Data for others: tidy tables, their dictionary, the manifest, the schemas.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::{demonstrated, report, reported, xcap_paper};
use serde_json::Value;
use sha2::{Digest, Sha256};

type Rows = Vec<BTreeMap<String, String>>;

fn table(results: &Path, name: &str) -> Rows {
    let path = results.join("tables").join(name);
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn digits(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn moments_are_what_the_runs_hold() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let mut compared = 0;
    for row in table(folder.path(), "moments.csv") {
        let run = format!(
            "{}/{}/{}-{:0>2}/{}.json",
            row["environment"], row["scenario"], row["buffer"], row["repetition"], row["domain"]
        );
        let report = json(&folder.path().join(run));
        let stages = report["stages"].as_array().unwrap();
        let stage = stages
            .iter()
            .find(|stage| stage["stage"] == *row["stage"])
            .unwrap();
        for column in ["count", "sum", "sumsq", "work", "nested_cost", "entries"] {
            assert_eq!(row[column], digits(&stage[column]), "{column} of {row:?}");
        }
        assert_eq!(row["self_count"], digits(&stage["self"]["count"]));
        assert_eq!(row["self_sum"], digits(&stage["self"]["sum"]));
        compared += 1;
    }
    // Fourteen stages of a machine; two domains of eight runs, one of eight.
    assert_eq!(compared, 14 * (2 * 8 + 8));
}

#[test]
fn a_demo_has_them_as_well() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    report(folder.path());
    let rows = table(folder.path(), "moments.csv");
    assert_eq!(rows.len(), 14 * 2 * 4);
    let bridge = rows.iter().find(|row| row["stage"] == "bridge").unwrap();
    assert_eq!(bridge["count"], "10000");
}

#[test]
fn the_dictionary_knows_every_column() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let text = fs::read_to_string(folder.path().join("tables/dictionary.md")).unwrap();
    let sections = text.split("\n## ").skip(1);
    let mut tables = BTreeSet::new();
    for section in sections {
        let (name, _) = section.split_once(':').unwrap();
        let header = fs::read_to_string(folder.path().join("tables").join(name)).unwrap();
        let told: Vec<Vec<&str>> = section
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        let names: Vec<&str> = told.iter().map(|row| row[1].trim_matches('`')).collect();
        assert_eq!(header.lines().next().unwrap(), names.join(","), "{name}");
        for row in told {
            assert!(!row[2].is_empty() && !row[3].is_empty(), "{name}: {row:?}");
        }
        tables.insert(name.to_owned());
    }
    assert_eq!(tables.len(), 4);
}

#[test]
fn the_manifest_names_every_file_with_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let manifest = json(&folder.path().join("manifest.json"));
    let files = manifest["files"].as_object().unwrap();
    for (name, file) in files {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(file["sha256"], digest, "{name}");
    }
    for name in [
        "tables/moments.csv",
        "report.html",
        "xen-pv/w0s0064/system-01/frames.json",
    ] {
        assert!(files.contains_key(name), "{name}");
    }
    assert_eq!(manifest["runs"]["xen-pv"], 8);
}

#[test]
fn every_schema_describes_its_keys() {
    let help = String::from_utf8(xcap_paper().arg("--help").output().unwrap().stdout).unwrap();
    assert!(help.contains("--schema"));
    for name in [
        "manifest",
        "study",
        "frames",
        "environment",
        "part",
        "moments",
        "runs",
        "hops",
        "costs",
    ] {
        let output = xcap_paper().args(["--schema", name]).output().unwrap();
        assert!(output.status.success(), "{name}");
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            schema["properties"].as_object().unwrap().len() > 3,
            "{name}"
        );
    }
}
