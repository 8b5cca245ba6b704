// SPDX-License-Identifier: GPL-2.0

//! A network namespace of a test's own, with a cable in it; needs no root.

use std::env;
use std::process::Command;
use std::time::Duration;

use xcap_frames::Interface;

/// The two ends of the cable.
pub const HERE: &str = "here";
pub const THERE: &str = "there";

const WITHIN: &str = "XCAP_TEST_NAMESPACE";

/// How root makes one; anybody else needs a user namespace around it.
const PRIVILEGED: &str = "-n";

/// Whether the test may load BPF programs.
#[allow(dead_code, reason = "only where they are")]
pub fn is_privileged() -> bool {
    env::var_os(WITHIN).is_some_and(|way| way == PRIVILEGED)
}

/// Runs `body` within a new namespace: starts the test `name` once more in there.
pub fn in_namespace(name: &str, body: impl FnOnce()) {
    if env::var_os(WITHIN).is_some() {
        cable();
        return body();
    }
    let Some(way) = [PRIVILEGED, "-Urn"].into_iter().find(|way| works(way)) else {
        eprintln!("skipped {name}: no namespaces here (unshare -Urn, or unshare -n as root)");
        return;
    };
    let output = Command::new("unshare")
        .arg(way)
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(WITHIN, way)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{complained}"
    );
}

fn works(way: &str) -> bool {
    let tried = Command::new("unshare").args([way, "ip", "link"]).output();
    tried.is_ok_and(|output| output.status.success())
}

fn cable() {
    ip(&["link", "add", HERE, "type", "veth", "peer", "name", THERE]);
    for end in [HERE, THERE] {
        // No addresses: nobody but the test sends.
        ip(&["link", "set", end, "addrgenmode", "none"]);
        ip(&["link", "set", end, "up"]);
    }
    for end in [HERE, THERE] {
        let interface = Interface::up(end).unwrap();
        interface.await_carrier(Duration::from_secs(10)).unwrap();
    }
}

pub fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {output:?}");
}
