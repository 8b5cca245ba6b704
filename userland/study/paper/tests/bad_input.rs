// SPDX-License-Identifier: GPL-2.0

//! What is wrong with results is said in one line that names the file, and nothing is written.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{gathered, recorded, xcap_paper};

/// What `report` says of results that `spoil` was let loose on.
fn complaint(spoil: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    gathered(folder.path());
    spoil(folder.path());
    let mut command = xcap_paper();
    let output = command
        .arg("report")
        .arg("--results")
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(!folder.path().join("report.html").exists());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said.replace(&folder.path().display().to_string(), "RESULTS")
}

const RUN: &str = "xen-pv/w0s0064/system-01";

fn edit(results: &Path, file: &str, from: &str, to: &str) {
    let path = results.join(RUN).join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} holds no '{from}'");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn no_results() {
    let said = complaint(|results| {
        fs::remove_dir_all(results.join("xen-pv")).unwrap();
        fs::remove_dir_all(results.join("native")).unwrap();
    });
    assert!(
        said.contains("there are no results at 'RESULTS': xcap-paper run makes some"),
        "{said}"
    );
}

#[test]
fn a_file_is_missing() {
    for file in [
        "frames.json",
        "environment.json",
        "after/domU.stats",
        "before/dom0.json",
        "domU.json",
    ] {
        let said = complaint(|results| fs::remove_file(results.join(RUN).join(file)).unwrap());
        assert!(said.contains(&format!("RESULTS/{RUN}/{file}")), "{said}");
    }
}

#[test]
fn a_file_is_cut_short() {
    for file in [
        "frames.json",
        "environment.json",
        "after/domU.stats",
        "before/dom0.json",
        "domU.json",
    ] {
        let said = complaint(|results| {
            let path = results.join(RUN).join(file);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        });
        assert!(said.contains(&format!("RESULTS/{RUN}/{file}")), "{said}");
    }
}

#[test]
fn a_file_is_of_another_version() {
    let said = complaint(|results| edit(results, "frames.json", "\"format\": 2", "\"format\": 7"));
    assert!(said.contains("frames.json' is of version 7"), "{said}");
    assert!(said.contains("run it again"), "{said}");
}

#[test]
fn a_demo_of_before_is_refused_by_its_name() {
    let said = complaint(|results| {
        let old = r#"{ "sent": 1009, "nic_rx": 1009, "nic_missed": 0, "captured": 1009 }"#;
        let demo = results.join("demo/w0s0064");
        fs::create_dir_all(&demo).unwrap();
        fs::write(demo.join("frames.json"), old).unwrap();
    });
    assert!(
        said.contains("demo/w0s0064/frames.json' is of xcap's earlier demo format"),
        "{said}"
    );
    assert!(said.contains("run it again"), "{said}");
}

#[test]
fn a_run_lies_there_twice() {
    let said = complaint(|results| {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(results.join(RUN))
            .arg(results.join("again"))
            .status();
        assert!(copied.unwrap().success());
    });
    assert!(
        said.contains(&format!(
            "'RESULTS/again' and 'RESULTS/{RUN}' are both of {RUN}"
        )),
        "{said}"
    );
}

#[test]
fn a_run_lies_where_another_belongs() {
    let said = complaint(|results| {
        let wrong = results.join("xen-pv/w0s0064/system-02");
        fs::remove_dir_all(&wrong).unwrap();
        fs::rename(results.join(RUN), wrong).unwrap();
    });
    assert!(
        said.contains("system-02/frames.json' is of another run, xen-pv/w0s0064/system-01"),
        "{said}"
    );
}

#[test]
fn something_foreign_lies_there() {
    let said = complaint(|results| fs::create_dir(results.join("xen-pv/holiday")).unwrap());
    assert!(
        said.contains("'RESULTS/xen-pv/holiday' doesn't belong to the results"),
        "{said}"
    );
    let said = complaint(|results| fs::create_dir(results.join("xen-pv/w0s0064/first")).unwrap());
    assert!(
        said.contains("'RESULTS/xen-pv/w0s0064/first' doesn't belong"),
        "{said}"
    );
}

#[test]
fn files_contradict_each_other() {
    let said =
        complaint(|results| edit(results, "frames.json", "\"captured\": ", "\"captured\": 1"));
    assert!(said.contains("frames.json' contradicts itself"), "{said}");
    let said = complaint(|results| edit(results, "after/dom0.json", "\"count\": ", "\"count\": 1"));
    assert!(
        said.contains("after/dom0.stats' contradict each other"),
        "{said}"
    );
    let said = complaint(|results| edit(results, "domU.json", "\"count\": ", "\"count\": 1"));
    assert!(said.contains("domU.json' and '"), "{said}");
    let said = complaint(|results| {
        let run = results.join(RUN);
        for file in ["dom0.stats", "dom0.json"] {
            fs::rename(run.join("after").join(file), run.join("spare")).unwrap();
            fs::rename(run.join("before").join(file), run.join("after").join(file)).unwrap();
            fs::rename(run.join("spare"), run.join("before").join(file)).unwrap();
        }
    });
    assert!(said.contains("swapped"), "{said}");
}

#[test]
fn results_are_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    gathered(folder.path());
    let mut command = xcap_paper();
    command
        .arg("gather")
        .arg("--results")
        .arg(folder.path())
        .arg(recorded().join("native"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("is there already, and stays as it is"),
        "{said}"
    );
}

#[test]
fn a_study_of_other_frames_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    gathered(folder.path());
    let mut command = xcap_paper();
    command.arg("run").arg("--results").arg(folder.path());
    let output = command
        .args(["--frames", "77", "--environments", "xen-pv"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("frames, not 77: choose another --results"),
        "{said}"
    );
}

#[test]
fn parts_that_arent() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let gather = |parts: &Path| {
        let mut command = xcap_paper();
        command
            .arg("gather")
            .arg("--results")
            .arg(&results)
            .arg(parts);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!results.exists());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(gather(&folder.path().join("nowhere")).contains("cannot read"));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(gather(&empty).contains("no parts there"));
    fs::write(empty.join("a.json"), "{}").unwrap();
    assert!(gather(&empty).contains("a.json' is no part that xcap-paper recorded"));
}

/// On a machine that xcap isn't loaded on, as tests' machines are.
#[test]
fn a_machine_that_cannot_record_says_why() {
    let record = |interface: &str| {
        let mut command = xcap_paper();
        command.args([
            "record",
            "--role",
            "bare",
            "--scenario",
            "w0s0064",
            "--interface",
            interface,
        ]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(record("no-such-card").contains("there is no interface 'no-such-card'"));
    let said = record("lo");
    assert!(
        ["insmod xcap.ko", "mount -t debugfs", "only root may"]
            .iter()
            .any(|cure| said.contains(cure)),
        "{said}"
    );
}
