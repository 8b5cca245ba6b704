// SPDX-License-Identifier: GPL-2.0

//! Results to test with: parts that a short study recorded in the lab.

#![allow(dead_code)] // Each test uses a part of it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

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

/// Results with their report.
pub fn reported(results: &Path) {
    gathered(results);
    xcap_paper()
        .arg("report")
        .arg("--results")
        .arg(results)
        .assert()
        .success();
}
