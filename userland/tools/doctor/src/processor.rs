// SPDX-License-Identifier: GPL-2.0

//! What of the processor touches figures: its kind, frequency, threads, mitigations.

use std::collections::BTreeSet;

use xcap_abi::role::Role;

use crate::check::Check;
use crate::host::Host;

const CPUS: &str = "/sys/devices/system/cpu";

/// How many CPUs are online.
pub fn cpus(host: &Host) -> usize {
    let info = host.text("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .filter(|line| line.starts_with("processor"))
        .count()
}

/// Its name, and whether it is one.
pub fn kind(host: &Host, role: Role) -> Check {
    let info = host.text("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = value("model name").unwrap_or_else(|| "?".into());
    let virtual_machine =
        value("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    if name.contains("TCG") {
        return Check::note("processor", format!("{name}: emulated"))
            .advise("its cycles compare with each other, not with hardware's");
    }
    if virtual_machine && role == Role::Bare {
        return Check::note("processor", format!("{name}, of a virtual machine"))
            .advise("time that the host takes for others is in the figures");
    }
    Check::good("processor", name)
}

/// Who changes its frequency.
pub fn frequency(host: &Host) -> Check {
    let policies = host.names(format!("{CPUS}/cpufreq")).into_iter();
    let governors: BTreeSet<String> = policies
        .filter_map(|policy| host.text(format!("{CPUS}/cpufreq/{policy}/scaling_governor")))
        .collect();
    let governors: Vec<String> = governors.into_iter().collect();
    match governors.as_slice() {
        [] => Check::note(
            "frequency",
            "not in this kernel's hands: the hypervisor's or the firmware's",
        ),
        [one] if one == "performance" => Check::good("frequency", "governor performance"),
        some => Check::bad(
            "frequency",
            format!(
                "governor {}: work takes more cycles of the TSC when the core is slow",
                some.join(", ")
            ),
        )
        .advise("cpupower frequency-set -g performance"),
    }
}

/// Whether two threads share a core.
pub fn threads(host: &Host) -> Check {
    match host.text(format!("{CPUS}/smt/active")).as_deref() {
        Some("1") => Check::note(
            "SMT",
            "on: what a core's other thread does is in the figures",
        )
        .advise(format!("echo off > {CPUS}/smt/control")),
        Some(_) => Check::good("SMT", "off"),
        None => Check::note("SMT", "not told by this kernel"),
    }
}

/// What the kernel does against its processor's faults.
pub fn mitigations(host: &Host) -> Check {
    let folder = format!("{CPUS}/vulnerabilities");
    let said = host.names(&folder).into_iter().filter_map(|name| {
        let text = host.text(format!("{folder}/{name}"))?;
        Some((name, text))
    });
    let on: Vec<String> = said
        .filter(|(_, text)| text.starts_with("Mitigation"))
        .map(|(name, _)| name)
        .collect();
    if on.is_empty() {
        return Check::good("mitigations", "none");
    }
    let command_line = host.text("/proc/cmdline").unwrap_or_default();
    let off = command_line
        .split(' ')
        .any(|word| word == "mitigations=off");
    let off = if off {
        " in spite of mitigations=off"
    } else {
        ""
    };
    Check::note(
        "mitigations",
        format!(
            "of {}{off}: part of every figure, to be told with them",
            on.join(", ")
        ),
    )
}
