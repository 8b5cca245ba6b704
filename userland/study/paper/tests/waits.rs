// SPDX-License-Identifier: GPL-2.0

//! Journeys in the report: of runs that were marked in the lab, native and in Xen.

mod browser;
mod common;

use std::fs;
use std::path::Path;

use browser::look;
use common::{gathered, recorded, report, xcap_paper};
use serde_json::Value;

/// Environments with runs that were marked.
const RUNS: [&str; 2] = ["xen-pv", "native"];

/// Runs that were marked, of a clock that counts instructions, beside some that were not.
fn marked(results: &Path) {
    gathered(results);
    for environment in RUNS {
        let from = recorded().join("marked").join(environment);
        let mut command = xcap_paper();
        command.arg("gather").arg("--results").arg(results);
        command.arg(&from).assert().success();
        let run = results.join(environment).join("w1s0064/large-01");
        fs::create_dir(run.join("marks")).unwrap();
        for file in fs::read_dir(from.join("marks")).unwrap() {
            let path = file.unwrap().path();
            fs::copy(&path, run.join("marks").join(path.file_name().unwrap())).unwrap();
        }
        let path = run.join("environment.json");
        let mut environment: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        environment["unit"] = "instructions".into();
        fs::write(&path, environment.to_string()).unwrap();
    }
}

#[test]
fn journeys_are_told_in_what_their_clock_counts() {
    let folder = tempfile::tempdir().unwrap();
    marked(folder.path());
    let told = xcap_paper().arg("journeys").arg(folder.path()).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    for environment in RUNS {
        let begin = format!("{environment}/w1s0064/large-01: a frame took ");
        let line = told.lines().find(|line| line.starts_with(&begin)).unwrap();
        assert!(line.contains(" instructions (median)"), "{line}");
        assert!(
            line.ends_with("23 of 23 captured have a whole journey"),
            "{line}"
        );
    }
    assert!(!told.contains("µs"), "{told}");
}

#[test]
#[ignore = "looks at the report in Chromium: make test"]
fn the_report_shows_where_frames_wait() {
    let folder = tempfile::tempdir().unwrap();
    marked(folder.path());
    report(folder.path());
    let seen = look(&folder.path().join("report.html"), 1280, false);
    for fault in ["wide", "clipped", "broken", "outside"] {
        assert_eq!(seen[fault], Value::Array(vec![]), "{fault}");
    }
    let figures = seen["figures"].as_array().unwrap();
    assert!(figures.iter().any(|figure| figure == "journeys-w1s0064"));
    // What a mean frame spent is, place by place, what the file says of all.
    let rows = seen["cells"]["journeys-w1s0064"].as_array().unwrap();
    for (environment, label) in [("xen-pv", "Xen PV"), ("native", "native")] {
        let run = folder.path().join(environment).join("w1s0064/large-01");
        let output = xcap_paper()
            .arg("journeys")
            .arg(&run)
            .arg("--json")
            .output();
        let told: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        let of_run = rows.iter().filter(|row| row["environment"] == label);
        let spent = of_run
            .map(|row| row["mean, ticks"].as_f64().unwrap() * row["frames"].as_f64().unwrap());
        let (spent, total) = (spent.sum::<f64>(), told["total_ticks"].as_f64().unwrap());
        assert!((spent - total).abs() < 1.0, "{label}: {spent}, not {total}");
        for which in ["median", "p99", "burst"] {
            let figure = format!("journey-{which}-{environment}-w1s0064");
            let path = folder.path().join("figures").join(format!("{figure}.svg"));
            assert!(path.exists(), "{}", path.display());
            assert!(seen["cells"][&figure].is_array(), "no {figure}");
        }
    }
}
