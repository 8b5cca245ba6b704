// SPDX-License-Identifier: GPL-2.0

//! The study on machines that commands reach: here a command that plays recorded parts.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::{recorded, xcap_paper};

/// Stands for `ssh root@machine`: answers as `xcap-paper record` there would.
fn player(folder: &Path, environment: &str, twist: &str) -> PathBuf {
    let script = folder.join("player");
    let text = format!(
        "#!/bin/sh
[ \"$1 $2\" = \"xcap-paper record\" ] || exit 9
shift 2
while [ $# -gt 0 ]; do
  case $1 in
    --role) role=$2 ;; --scenario) scenario=$2 ;; --buffer) buffer=$2 ;;
    --repetition) repetition=$2 ;; --interface) interface=$2 ;;
  esac
  shift 2
done
{twist}
echo 'begun: as if' >&2
[ $role = sender ] || cat >/dev/null
cat {}/{environment}/$scenario-$buffer-0$repetition-$role.json
",
        recorded().display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

fn study(results: &Path, player: &Path, roles: &[&str]) -> std::process::Output {
    let mut command = xcap_paper();
    command.arg("run").arg("--results").arg(results);
    for role in roles {
        command.arg(format!("--{role}")).arg(player);
    }
    command
        // A seed, so that the same scenario is always the first.
        .args(["--repetitions", "2", "--buffers", "system", "--seed", "2"])
        .output()
        .unwrap()
}

#[test]
fn a_study_is_made_of_what_the_machines_answer() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    let player = player(folder.path(), "xen-pv", "");
    let output = study(&results, &player, &["sender", "dom0", "domu"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("[8/8]"), "{said}");
    let runs = xcap_study::load::all(&results).unwrap();
    assert_eq!(runs.len(), 8);
    assert!(runs.iter().all(|run| run.testbed.lab.is_none()));
}

#[test]
fn what_a_machine_complains_of_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    let twist = "[ $role = sender ] || { echo \"xcap-paper: xcap isn't loaded\" >&2; exit 1; }";
    let player = player(folder.path(), "native", twist);
    let output = study(&results, &player, &["sender", "bare"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("bare: xcap-paper: xcap isn't loaded"),
        "{said}"
    );
    assert!(xcap_study::load::all(&results).is_err());
}

#[test]
fn runs_that_were_finished_are_kept_when_a_machine_dies() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    let dead = "[ $scenario != w1s0064 ] || exit 7";
    let broken = player(folder.path(), "native", dead);
    let output = study(&results, &broken, &["sender", "bare"]);
    assert_eq!(output.status.code(), Some(1));
    let before = xcap_study::load::all(&results).unwrap();
    assert!((1..8).contains(&before.len()), "{}", before.len());
    let mended = player(folder.path(), "native", "");
    let output = study(&results, &mended, &["sender", "bare"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("{} of 8 runs are there already", before.len())),
        "{said}"
    );
    assert_eq!(xcap_study::load::all(&results).unwrap().len(), 8);
}

#[test]
fn frames_that_never_arrive_make_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("paper");
    // A card that counted nothing: as if the cable were out.
    let unplugged = "exec 3>&1; part() { sed 's/\"rx_packets\":[0-9]*/\"rx_packets\":5/g'; }";
    let script = player(folder.path(), "native", unplugged);
    let text = fs::read_to_string(&script).unwrap();
    let text = text.replace("-$role.json\n", "-$role.json | part\n");
    fs::write(&script, text).unwrap();
    let output = study(&results, &script, &["sender", "bare"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("none came to bare (eth0/statistics): check the cable"),
        "{said}"
    );
    assert!(xcap_study::load::all(&results).is_err());
}
