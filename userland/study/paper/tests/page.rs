// SPDX-License-Identifier: GPL-2.0

//! The report in a browser, and its numbers against the results.

mod browser;
mod common;

use std::fs;
use std::path::Path;

use browser::look;
use common::{demonstrated, report, reported};
use serde_json::Value;

/// Figures that every report of Xen and native runs has.
const FIGURES: [&str; 33] = [
    "fig-2a",
    "fig-2b",
    "fig-3",
    "fig-4",
    "fig-5",
    "fig-6",
    "fig-7",
    "fig-8",
    "fig-9",
    "fig-10",
    "fig-11",
    "driver",
    "per-frame-dom0",
    "per-frame-domU",
    "self-xen-pv-dom0",
    "self-xen-pv-domU",
    "self-native-bare",
    "distribution-dom0-nic_irq",
    "distribution-dom0-softirq",
    "distribution-dom0-copy",
    "distribution-dom0-notify",
    "distribution-domU-copy_user",
    "native-w0s0064",
    "native-w0s1500",
    "native-w1s0064",
    "native-w1s1500",
    "losses-xen-pv",
    "losses-native",
    "distribution-domU-softirq",
    "sending-cost",
    "sending-waits-w20000s0064",
    "sending-waits-w0s0064",
    "sending-median-xen-pvh-w0s0064",
];

#[test]
#[ignore = "looks at the report in Chromium: make test"]
fn the_page_is_whole_on_phones_and_desktops() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let page = folder.path().join("report.html");
    let mut backgrounds = Vec::new();
    for (width, dark) in [(375, false), (1280, false), (1280, true)] {
        let seen = look(&page, width, dark);
        let none = Value::Array(vec![]);
        assert!(
            seen["scroll"].as_u64() <= seen["width"].as_u64(),
            "{width}: {} {}",
            seen["scroll"],
            seen["wide"]
        );
        for fault in ["wide", "clipped", "broken", "outside"] {
            assert_eq!(seen[fault], none, "{fault} at {width}");
        }
        let figures = seen["figures"].as_array().unwrap();
        for figure in FIGURES {
            assert!(
                figures.iter().any(|seen| seen == figure),
                "no {figure} at {width}"
            );
            assert!(folder
                .path()
                .join("figures")
                .join(format!("{figure}.svg"))
                .exists());
        }
        let text = seen["text"].as_str().unwrap();
        assert!(text.contains("cycles of machines whose instructions software runs"));
        for letter in 'a'..='s' {
            assert!(
                text.contains(&format!("({letter})")),
                "no finding ({letter})"
            );
        }
        assert!(
            !text.contains("NaN") && !text.contains("inf "),
            "a number that is none"
        );
        backgrounds.push(seen["background"].as_str().unwrap().to_owned());
    }
    assert_ne!(backgrounds[1], backgrounds[2], "dark is as light");
}

/// One repetition, nothing native: no figure may be the worse for it.
#[test]
#[ignore = "looks at the report in Chromium: make test"]
fn a_demos_page_is_whole_as_well() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    report(folder.path());
    for width in [375, 1280] {
        let seen = look(&folder.path().join("report.html"), width, false);
        assert!(
            seen["scroll"].as_u64() <= seen["width"].as_u64(),
            "{width}: {} {}",
            seen["scroll"],
            seen["wide"]
        );
        for fault in ["wide", "clipped", "broken", "outside"] {
            assert_eq!(seen[fault], Value::Array(vec![]), "{fault} at {width}");
        }
        let text = seen["text"].as_str().unwrap();
        assert!(text.contains("one repetition: no test decides"));
        assert_eq!(text.matches("can't be told here:").count(), 19);
    }
}

#[test]
fn every_figure_says_that_it_is_emulated() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let mut figures = 0;
    for file in fs::read_dir(folder.path().join("figures")).unwrap() {
        let path = file.unwrap().path();
        let svg = fs::read_to_string(&path).unwrap();
        assert!(svg.contains("EMULATED"), "{}", path.display());
        assert!(
            svg.contains("prefers-color-scheme:dark"),
            "{}",
            path.display()
        );
        figures += 1;
    }
    assert!(figures >= FIGURES.len());
}

/// Those of the lab: what counts instructions nowhere says that it counts cycles.
#[test]
fn instructions_are_not_called_cycles() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    for run in ["w0s0064", "w0s1500", "w1s0064", "w1s1500"] {
        let path = folder.path().join(run).join("environment.json");
        let mut environment: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        environment["unit"] = "instructions".into();
        fs::write(&path, environment.to_string()).unwrap();
    }
    report(folder.path());
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("instructions that emulated machines executed"));
    let mut looked_at = 0;
    for made in ["figures", "tables"] {
        for file in fs::read_dir(folder.path().join(made)).unwrap() {
            let path = file.unwrap().path();
            // Of every study's columns, whatever it counts.
            if path.ends_with("dictionary.md") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("cycles"), "{}", path.display());
            looked_at += usize::from(text.contains("instructions"));
        }
    }
    assert!(looked_at >= 20, "{looked_at}");
}

/// Mean of a stage's calls, by the results' own JSON.
fn mean(
    results: &Path,
    environment: &str,
    scenario: &str,
    domain: &str,
    stage: &str,
) -> (f64, f64) {
    let (mut count, mut sum) = (0.0, 0.0);
    for repetition in ["system-01", "system-02"] {
        let run = results.join(environment).join(scenario).join(repetition);
        for (when, sign) in [("after", 1.0), ("before", -1.0)] {
            let path = run.join(when).join(format!("{domain}.json"));
            let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let stages = json["stages"].as_array().unwrap();
            let stage = stages.iter().find(|one| one["stage"] == stage).unwrap();
            count += sign * stage["count"].as_f64().unwrap();
            sum += sign * stage["sum"].as_f64().unwrap();
        }
    }
    (count, sum / count)
}

#[test]
#[ignore = "looks at the report in Chromium: make test"]
fn figures_show_what_the_results_hold() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let seen = look(&folder.path().join("report.html"), 1280, false);
    let mut compared = 0;
    for (figure, domain) in [
        ("fig-2a", "dom0"),
        ("fig-2b", "domU"),
        ("fig-3", "dom0"),
        ("fig-4", "dom0"),
        ("fig-5", "dom0"),
        ("fig-6", "dom0"),
        ("fig-7", "dom0"),
        ("fig-8", "dom0"),
        ("fig-9", "domU"),
        ("fig-10", "domU"),
        ("fig-11", "domU"),
    ] {
        for row in seen["cells"][figure].as_array().unwrap() {
            let (scenario, stage) = (
                row["scenario"].as_str().unwrap(),
                row["stage"].as_str().unwrap(),
            );
            let (count, mean) = mean(folder.path(), "xen-pv", scenario, domain, stage);
            assert_eq!(row["calls"].as_f64(), Some(count), "{figure} {row}");
            let shown = row["mean"].as_f64().unwrap();
            assert!(
                (shown - mean).abs() <= 1e-9 * mean,
                "{figure}: {shown}, not {mean}"
            );
            compared += 1;
        }
    }
    assert!(compared >= 4 * 20, "{compared}");
    // Of sending: self times and services, in the order of the runs.
    let sending = fs::read(folder.path().join("transmit.json")).unwrap();
    let sending: Value = serde_json::from_slice(&sending).unwrap();
    let runs = sending["runs"].as_array().unwrap();
    for row in seen["cells"]["sending-cost"].as_array().unwrap() {
        let is_its =
            |run: &&Value| run["environment"] == row["where"] && run["scenario"] == row["scenario"];
        let run = runs.iter().find(is_its).unwrap();
        let is_its =
            |stage: &&Value| stage["domain"] == row["domain"] && stage["stage"] == row["stage"];
        let stage = run["stages"]
            .as_array()
            .unwrap()
            .iter()
            .find(is_its)
            .unwrap();
        let shown = row["self time a frame"].as_f64();
        assert_eq!(shown, stage["self_per_frame"].as_f64(), "{row}");
        compared += 1;
    }
    for run in runs {
        let journeys = &run["journeys"];
        // As far as the first space that may not break.
        let told = journeys["told"].as_str().unwrap();
        let told = told.split(" %").next().unwrap();
        assert!(seen["text"].as_str().unwrap().contains(told), "{told}");
        assert_eq!(journeys["complete"], journeys["sent"]);
    }
    assert!(compared >= 4 * 20 + 40, "{compared}");
    // Where frames went: what frames.json says, and sums that agree.
    for row in seen["cells"]["losses-xen-pv"].as_array().unwrap() {
        let (came, dropped, passed) = (&row["came"], &row["dropped"], &row["passed"]);
        assert_eq!(
            came.as_f64().unwrap() - dropped.as_f64().unwrap(),
            passed.as_f64().unwrap()
        );
    }
}

#[test]
fn tables_are_files_as_well() {
    let folder = tempfile::tempdir().unwrap();
    reported(folder.path());
    let csv = fs::read_to_string(folder.path().join("tables/fig-5.csv")).unwrap();
    let (_, expected) = mean(folder.path(), "xen-pv", "w0s0064", "dom0", "bridge");
    let row = csv
        .lines()
        .find(|line| line.starts_with("w0s0064,bridge,"))
        .unwrap();
    assert_eq!(
        row.split(',').nth(4).unwrap().parse::<f64>().unwrap(),
        expected
    );
    let markdown = fs::read_to_string(folder.path().join("tables/findings.md")).unwrap();
    assert!(markdown.starts_with("| finding | verdict | claim |"));
}
