// SPDX-License-Identifier: GPL-2.0

//! What is said of machines, good and bad, and of this one.

mod machine;

use assert_cmd::Command;
use machine::{Machine, RELEASE};
use xcap_doctor::{show, Check, Examination, Verdict};

const SYMBOLS: &str = "\
0000000000000000 T net_rx_action
0000000000000000 t packet_rcv\t[af_packet]
0000000000000000 t packet_recvmsg\t[af_packet]
0000000000000000 d br_handle_frame
0000000000000000 t igb_poll\t[igb]
0000000000000000 t ixgbe_poll\t[ixgbe]
0000000000000000 t e1000_intr\t[e1000]
";

/// One without a fault, but that xcap is not loaded.
fn good() -> Machine {
    Machine::new()
        .with(
            &format!("boot/config-{RELEASE}"),
            "CONFIG_RUST=y\nCONFIG_MODULES=y\nCONFIG_DEBUG_FS=y\nCONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\n\
             CONFIG_DYNAMIC_FTRACE_WITH_JMP=y\n",
        )
        .with(
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: AMD EPYC 9354\nflags\t\t: fpu constant_tsc nonstop_tsc\n",
        )
        .with("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")
        .with("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance\n")
        .with("sys/devices/system/cpu/smt/active", "0\n")
        .with("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n")
        .with("sys/kernel/tracing/current_tracer", "nop\n")
        .with("proc/kallsyms", SYMBOLS)
}

fn of(examination: &Examination, subject: &str) -> Check {
    let mut checks = examination.checks.iter();
    checks
        .find(|check| check.subject == subject)
        .unwrap()
        .clone()
}

/// The verdict on a subject, where one file is another.
#[track_caller]
fn finds(path: &str, text: &str, subject: &str, verdict: Verdict, said: &str) {
    let before = of(&Examination::of(&good().host()), subject);
    assert_eq!(before.verdict, Verdict::Good, "{before:?}");
    let check = of(&Examination::of(&good().with(path, text).host()), subject);
    assert_eq!(check.verdict, verdict, "{check:?}");
    let all = check.found + check.advice.as_deref().unwrap_or_default();
    assert!(all.contains(said), "{all}");
}

#[test]
fn each_fault_is_found_with_what_to_do() {
    use Verdict::{Bad, Fatal, Note};
    let cpu = "sys/devices/system/cpu";
    for (path, text, subject, verdict, said) in [
        (
            format!("{cpu}/cpufreq/policy1/scaling_governor"),
            "powersave\n",
            "frequency",
            Bad,
            "cpupower",
        ),
        (
            format!("{cpu}/smt/active"),
            "1\n",
            "SMT",
            Note,
            "smt/control",
        ),
        (
            format!("{cpu}/vulnerabilities/retbleed"),
            "Mitigation: untrained\n",
            "mitigations",
            Note,
            "of retbleed",
        ),
        (
            "proc/cpuinfo".into(),
            "flags\t\t: fpu tsc\n",
            "clock",
            Bad,
            "not invariant",
        ),
        (
            "proc/cpuinfo".into(),
            "model name\t: QEMU TCG CPU version 2.5+\n",
            "processor",
            Note,
            "emulated",
        ),
        (
            "sys/kernel/tracing/current_tracer".into(),
            "function\n",
            "tracers",
            Note,
            "the tracer function",
        ),
        (
            "sys/kernel/tracing/enabled_functions".into(),
            "ip_rcv (1) R \n\tdirect(jmp)-->slot+0x0/0x30 [xcap]\n",
            "tracers",
            Note,
            "ftrace: 1",
        ),
        (
            "sys/kernel/debug/kprobes/list".into(),
            "ffffffff81  r  ip_rcv+0x0    [FTRACE]\n",
            "tracers",
            Note,
            "kprobes: 1",
        ),
        (
            "sys/kernel/livepatch/fix/enabled".into(),
            "1\n",
            "tracers",
            Note,
            "livepatch fix",
        ),
        (
            "sys/kernel/security/lockdown".into(),
            "none [integrity] confidentiality\n",
            "lockdown",
            Note,
            "signed",
        ),
        (
            "sys/kernel/security/lockdown".into(),
            "none integrity [confidentiality]\n",
            "lockdown",
            Note,
            "confidentiality: modules have to be signed",
        ),
        (
            format!("boot/config-{RELEASE}"),
            "CONFIG_MODULES=y\n",
            "kernel",
            Fatal,
            "CONFIG_RUST",
        ),
        (
            "proc/sys/kernel/osrelease".into(),
            "6.12.48+deb13-amd64\n",
            "kernel",
            Fatal,
            "older than 7.2",
        ),
    ] {
        finds(&path, text, subject, verdict, said);
    }
}

#[test]
fn stages_are_foretold_by_the_kernel_s_functions() {
    let examination = Examination::of(&good().host());
    let stage = |name: &str| {
        let mut stages = examination.stages.iter();
        let stage = stages.find(|stage| stage.stage == name).unwrap();
        (
            stage.armed,
            stage.function.as_deref(),
            stage.backend.as_deref(),
        )
    };
    assert_eq!(
        stage("softirq"),
        (true, Some("net_rx_action"), Some("direct"))
    );
    let functions = |name: &str| -> Vec<_> {
        let stages = examination.stages.iter();
        let alike = stages.filter(|stage| stage.stage == name);
        alike
            .filter_map(|stage| stage.function.as_deref())
            .collect()
    };
    assert_eq!(stage("nic_poll"), (true, Some("igb_poll"), Some("direct")));
    assert_eq!(functions("nic_poll"), ["igb_poll", "ixgbe_poll"]);
    // Of two modules that have a function of the name, one is there.
    assert_eq!(functions("nic_irq"), ["e1000_intr"]);
    assert_eq!(
        stage("recvmsg"),
        (true, Some("packet_recvmsg"), Some("fprobe"))
    );
    // Data, not a function.
    assert_eq!(stage("bridge"), (false, None, None));
    assert_eq!(stage("netback"), (false, None, None));
    let text = show::text(&examination, 80);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("not part of the capture path in this role"),
        "{text}"
    );
    assert!(text.contains("no such function now"), "{text}");
}

#[test]
fn a_function_that_is_forbidden_is_said_to_be() {
    let machine = good().with(
        "sys/kernel/debug/kprobes/blacklist",
        "0x0-0x0\tnet_rx_action\n",
    );
    let examination = Examination::of(&machine.host());
    let mut stages = examination.stages.iter();
    let stage = stages.find(|stage| stage.stage == "softirq").unwrap();
    assert!(
        !stage.armed && stage.why.as_ref().unwrap().contains("forbids"),
        "{stage:?}"
    );
}

#[test]
fn one_screen_and_its_exit_status() {
    let run = Command::cargo_bin("xcap-doctor").unwrap().assert();
    // Where tests run, xcap isn't loaded.
    let run = run.code(1);
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(text.contains("FAILS module"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let run = Command::cargo_bin("xcap-doctor")
        .unwrap()
        .arg("--json")
        .assert()
        .code(1);
    let said: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(
        (&said["format"], &said["verdict"]),
        (&1.into(), &"fatal".into())
    );
    assert_eq!(said["checks"].as_array().unwrap().len(), 9);
    assert!(!said["stages"].as_array().unwrap().is_empty());
    Command::cargo_bin("xcap-doctor")
        .unwrap()
        .arg("--nonsense")
        .assert()
        .code(2);
}
