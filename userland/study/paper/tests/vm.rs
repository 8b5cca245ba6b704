// SPDX-License-Identifier: GPL-2.0

//! A short study in the lab, stopped in between. Takes the tools of `make tools`.

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

const SHORT: [&str; 6] = [
    "--frames",
    "200",
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

fn study(results: &Path, environments: &str, repetitions: u32) -> Command {
    let mut command = Command::new(released());
    command
        .arg("run")
        .arg("--results")
        .arg(results)
        .args(["--environments", environments])
        .args(["--repetitions", &repetitions.to_string()])
        .args(SHORT)
        .stderr(Stdio::piped());
    command
}

/// Runs a study to its end, of which some is there.
fn gone_on_with(mut study: Command, there: &str) {
    let output = study.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("{there} runs are there already")),
        "{said}"
    );
}

#[test]
#[ignore = "boots the lab: make test"]
fn a_stopped_study_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    // Stopped in the environment whose machines start sooner.
    let both = "native,xen-pv";
    let mut stopped = study(&results, both, 1).spawn().unwrap();
    let lines = BufReader::new(stopped.stderr.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines {
        let line = line.unwrap();
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("[1/4]") {
            kill(Pid::from_raw(stopped.id() as i32), Signal::SIGINT).unwrap();
        }
    }
    assert_eq!(stopped.wait().unwrap().code(), Some(130), "{said}");
    let kept = runs(&results);
    assert!((1..4).contains(&kept), "{kept} runs after:\n{said}");

    gone_on_with(study(&results, both, 1), &format!("{kept} of 4"));
    assert_eq!(runs(&results), 4);
    // More repetitions are added to those that are there.
    gone_on_with(study(&results, "native", 2), "2 of 4");
    assert_eq!(runs(&results), 6);
    every_frame_is_accounted_for(&results);

    common::report(&results);
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
