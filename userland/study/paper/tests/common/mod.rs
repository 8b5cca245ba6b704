// SPDX-License-Identifier: GPL-2.0

//! Results to test with: parts that a short study recorded in the lab.

#![allow(dead_code)] // Each test uses a part of it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use xcap_study::layout::Layout;
use xcap_study::part::{Part, Parts};
use xcap_study::role::Role;
use xcap_study::run_id::{Buffer, Environment, RunId};
use xcap_study::scenario::PAPER;

pub fn xcap_paper() -> Command {
    Command::new(env!("CARGO_BIN_EXE_xcap-paper"))
}

pub fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

/// Puts the recorded parts together as results.
pub fn gathered(results: &Path) {
    let mut command = xcap_paper();
    command.arg("gather").arg("--results").arg(results);
    command.arg(recorded().join("xen-pv")).assert().success();
    let mut command = xcap_paper();
    command.arg("gather").arg("--results").arg(results);
    command.arg(recorded().join("native")).assert().success();
}

/// Has the report made of results.
pub fn report(results: &Path) {
    xcap_paper()
        .arg("report")
        .arg("--results")
        .arg(results)
        .assert()
        .success();
}

/// Results with their report; sending was measured beside them.
pub fn reported(results: &Path) {
    gathered(results);
    std::fs::copy(
        recorded().join("transmit.json"),
        results.join("transmit.json"),
    )
    .unwrap();
    report(results);
}

/// Results as a demo leaves them: the first repetition of each scenario.
pub fn demonstrated(results: &Path) {
    for scenario in PAPER {
        let run = RunId {
            environment: Environment::XenPv,
            scenario,
            buffer: Buffer::System,
            repetition: 1,
        };
        let parts: Parts = [Role::Sender, Role::DOM0, Role::DOMU]
            .map(|role| (role, part(&format!("{scenario}-system-01-{role}.json"))))
            .into();
        Layout::Demo.write(results, run, &parts, None).unwrap();
    }
}

fn part(name: &str) -> Part {
    let bytes = std::fs::read(recorded().join("xen-pv").join(name)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
