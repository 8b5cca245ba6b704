// SPDX-License-Identifier: GPL-2.0

//! A short study in the lab, stopped in between. Takes the tools of `make tools`.
#![cfg(feature = "vm")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

const SHORT: [&str; 10] = [
    "--frames",
    "200",
    "--repetitions",
    "2",
    "--environments",
    "xen-pv,native",
    "--scenarios",
    "w0s0064,w1s1500",
    "--buffers",
    "large",
];

/// As `make tools` and `make test` build it: small enough for the guests, and static.
fn released() -> PathBuf {
    let tools =
        std::env::var_os("XCAP_TOOLS").expect("XCAP_TOOLS names no folder: run `make test`");
    let program = Path::new(&tools).join("xcap-paper");
    assert!(
        program.exists(),
        "'{}' isn't there: run `make test`",
        program.display()
    );
    program
}

fn runs(results: &Path) -> usize {
    xcap_study::load::all(results).map_or(0, |runs| runs.len())
}

#[test]
fn a_stopped_study_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    let mut command = Command::new(released());
    command
        .arg("run")
        .arg("--results")
        .arg(&results)
        .args(SHORT)
        .stderr(Stdio::piped());
    let mut study = command.spawn().unwrap();
    let lines = BufReader::new(study.stderr.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines {
        let line = line.unwrap();
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("[1/8]") {
            kill(Pid::from_raw(study.id() as i32), Signal::SIGINT).unwrap();
        }
    }
    assert_eq!(study.wait().unwrap().code(), Some(130), "{said}");
    let kept = runs(&results);
    assert!((1..8).contains(&kept), "{kept} runs after:\n{said}");

    let mut command = Command::new(released());
    let output = command
        .arg("run")
        .arg("--results")
        .arg(&results)
        .args(SHORT)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("{kept} of 8 runs are there already")),
        "{said}"
    );
    assert_eq!(runs(&results), 8);
    every_frame_is_accounted_for(&results);

    common::xcap_paper()
        .arg("report")
        .arg("--results")
        .arg(&results)
        .assert()
        .success();
    assert!(results.join("report.html").exists());
}

fn every_frame_is_accounted_for(results: &Path) {
    for run in xcap_study::load::all(results).unwrap() {
        assert_eq!(run.frames.sent, 200, "{}", run.id);
        assert_eq!(
            run.frames.unaccounted, 0,
            "{}: {:?}",
            run.id, run.frames.hops
        );
        let json = std::fs::read(results.join(run.id.to_string()).join("frames.json")).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["captured"], run.frames.captured);
        for (domain, stats) in &run.stats {
            let lost: u64 = stats
                .stages
                .iter()
                .map(|stage| stage.missed_pool + stage.missed_busy)
                .sum();
            assert_eq!(lost, 0, "{} {domain}", run.id);
        }
    }
}
