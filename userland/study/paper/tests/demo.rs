// SPDX-License-Identifier: GPL-2.0

//! A demo's results: those of a study with one repetition.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::{demonstrated, gathered, report};
use xcap_study::load;
use xcap_study::scenario::PAPER;

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false => drop(found.insert(path.strip_prefix(folder).unwrap().to_owned())),
            }
        }
    }
    found
}

#[test]
fn a_run_is_the_same_files_in_a_demo_and_in_a_study() {
    let folder = tempfile::tempdir().unwrap();
    let (demo, study) = (folder.path().join("demo"), folder.path().join("study"));
    demonstrated(&demo);
    gathered(&study);
    let of_demo = files(&demo.join("w0s0064"));
    assert_eq!(of_demo, files(&study.join("xen-pv/w0s0064/system-01")));
    for file in ["dom0.json", "domU.json", "frames.json"] {
        assert!(of_demo.contains(Path::new(file)), "{of_demo:?}");
    }
}

#[test]
fn it_is_read_in_the_papers_order() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    let runs = load::all(folder.path()).unwrap();
    let scenarios: Vec<_> = runs.iter().map(|run| run.id.scenario).collect();
    assert_eq!(scenarios, PAPER);
}

#[test]
fn another_demo_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    let run = folder.path().join("w0s0064");
    let first = fs::metadata(&run).unwrap().ino();
    fs::write(run.join("mine"), "").unwrap();
    demonstrated(folder.path());
    assert_ne!(fs::metadata(&run).unwrap().ino(), first);
    assert!(!run.join("mine").exists());
    assert_eq!(load::all(folder.path()).unwrap().len(), 4);
    let names = fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 4, "something unfinished was left");
}

#[test]
fn a_report_is_made_of_it_and_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    demonstrated(folder.path());
    report(folder.path());
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("<b>4</b><span>runs, one repetition"));
    for number in ["NaN", "inf "] {
        assert!(!page.contains(number), "a number that is none");
    }
    let findings = fs::read_to_string(folder.path().join("tables/findings.csv")).unwrap();
    let claims: Vec<&str> = findings.lines().skip(1).collect();
    assert!(!claims.is_empty());
    for claim in claims {
        assert!(claim.contains("can't be told here"), "{claim}");
        // Or what no repetition decides, and what would; or a demo's few calls have no variance.
        let reasons = [
            "one repetition: a test takes two",
            "no repetition has figures of both",
            "would decide",
        ];
        assert!(
            reasons.iter().any(|reason| claim.contains(reason)),
            "{claim}"
        );
    }
}
