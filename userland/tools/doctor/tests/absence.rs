// SPDX-License-Identifier: GPL-2.0

//! Why xcap is not there, on machines whose files are in a folder.

mod machine;

use machine::{Machine, RELEASE};
use xcap_doctor::absence;

/// The module's file where this kernel looks for it.
fn with_module(machine: Machine, module: impl AsRef<[u8]>) -> Machine {
    let folder = format!("lib/modules/{RELEASE}");
    machine
        .with(
            &format!("{folder}/modules.dep"),
            "kernel/a.ko:\nupdates/dkms/xcap.ko:\n",
        )
        .with(&format!("{folder}/updates/dkms/xcap.ko"), module)
}

#[track_caller]
fn says(machine: &Machine, what: &[&str]) {
    let said = absence(&machine.host()).unwrap().to_string();
    for what in what {
        assert!(said.contains(what), "no '{what}' in: {said}");
    }
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_module_that_was_never_built_is_to_be_built() {
    says(
        &Machine::new(),
        &["isn't built for this kernel", RELEASE, "xcap-dkms"],
    );
}

#[test]
fn a_kernel_that_can_have_none_is_said_to() {
    let config = format!("boot/config-{RELEASE}");
    let with = |text: &str| Machine::new().with(&config, text);
    let rest = "CONFIG_MODULES=y\nCONFIG_DEBUG_FS=y\nCONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\n";
    says(
        &with(&format!("# CONFIG_RUST is not set\n{rest}")),
        &["is built without CONFIG_RUST:", "boot one with Rust"],
    );
    says(
        &with(&format!("CONFIG_RUST=y\n{rest}")),
        &["isn't built for this kernel"],
    );
}

#[test]
fn a_module_of_another_kernel_names_it() {
    let machine = Machine::new().with("lib/modules/7.2.13+deb14-amd64/extra/xcap.ko.xz", "");
    says(
        &machine,
        &["but for 7.2.13+deb14-amd64", "dkms autoinstall"],
    );
}

#[test]
fn a_build_that_failed_names_its_log() {
    let machine = Machine::new().with("var/lib/dkms/xcap/0.1.0/build/make.log", "");
    says(
        &machine,
        &[
            "DKMS did not build",
            "/var/lib/dkms/xcap/0.1.0/build/make.log",
        ],
    );
}

#[test]
fn a_module_that_is_there_is_to_be_loaded() {
    says(
        &with_module(Machine::new(), "ELF"),
        &["isn't loaded", "modprobe xcap"],
    );
    let unindexed = Machine::new().with(&format!("lib/modules/{RELEASE}/extra/xcap.ko"), "ELF");
    says(
        &unindexed,
        &[
            "isn't loaded",
            &format!("insmod /lib/modules/{RELEASE}/extra/xcap.ko"),
        ],
    );
}

#[test]
fn where_signatures_are_wanted_a_module_without_is_said_to_have_none() {
    let signed = b"ELF~Module signature appended~\n";
    for (path, text) in [
        (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        ),
        ("sys/module/module/parameters/sig_enforce", "Y\n"),
    ] {
        let strict = || Machine::new().with(path, text);
        let unsigned = with_module(strict(), "ELF, and a good deal more of it");
        says(
            &unsigned,
            &["has no signature", "mokutil", "updates/dkms/xcap.ko"],
        );
        says(&with_module(strict(), signed), &["modprobe xcap"]);
    }
}

#[test]
fn what_the_kernel_said_of_it_is_passed_on() {
    let refused = |line: &str| {
        with_module(Machine::new(), "ELF").with("dev/kmsg", format!("4,1,2,-;{line}\n"))
    };
    says(
        &refused("xcap: version magic '7.2.13 SMP' should be '7.3.4 SMP'"),
        &["refused it (\"xcap: version magic", "build it anew"],
    );
    says(
        &refused("Loading of module with unavailable key is rejected"),
        &["unavailable key", "mokutil"],
    );
    says(
        &refused("xcap: loading out-of-tree module taints kernel."),
        &["modprobe xcap"],
    );
}

#[test]
fn a_kernel_that_takes_no_more_modules_is_to_be_booted() {
    let machine =
        with_module(Machine::new(), "ELF").with("proc/sys/kernel/modules_disabled", "1\n");
    says(&machine, &["modules_disabled", "booted anew"]);
}

#[test]
fn a_loaded_module_whose_files_are_not_there_needs_debugfs() {
    says(
        &Machine::new().with("sys/module/xcap/refcnt", "0"),
        &["is loaded", "mount -t debugfs"],
    );
}

#[test]
fn a_module_that_can_be_read_is_not_absent() {
    let machine = Machine::new()
        .with("sys/module/xcap/refcnt", "0")
        .with("sys/kernel/debug/xcap/probes", "# name\n");
    assert_eq!(absence(&machine.host()), None);
}
