// SPDX-License-Identifier: GPL-2.0

//! How a machine is set up, as far as that changes what a stage costs, or how much that varies.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// By name; what can't be asked here is left out. What programs print is one text, by lines.
pub type Settings = BTreeMap<String, String>;

/// Files that each hold one setting.
const FILES: [(&str, &str); 14] = [
    ("boot id", "/proc/sys/kernel/random/boot_id"),
    ("smt", "/sys/devices/system/cpu/smt/control"),
    (
        "cpufreq driver",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver",
    ),
    (
        "intel no_turbo",
        "/sys/devices/system/cpu/intel_pstate/no_turbo",
    ),
    ("cpufreq boost", "/sys/devices/system/cpu/cpufreq/boost"),
    (
        "cpuidle driver",
        "/sys/devices/system/cpu/cpuidle/current_driver",
    ),
    ("rmem_default", "/proc/sys/net/core/rmem_default"),
    ("rmem_max", "/proc/sys/net/core/rmem_max"),
    ("netdev_budget", "/proc/sys/net/core/netdev_budget"),
    (
        "netdev_budget_usecs",
        "/proc/sys/net/core/netdev_budget_usecs",
    ),
    (
        "netdev_max_backlog",
        "/proc/sys/net/core/netdev_max_backlog",
    ),
    ("nmi_watchdog", "/proc/sys/kernel/nmi_watchdog"),
    ("xcap version", "/sys/module/xcap/version"),
    ("xcap srcversion", "/sys/module/xcap/srcversion"),
];

/// What `ethtool` shows of a card, by its option.
const CARD: [(&str, &str); 5] = [
    ("rings", "-g"),
    ("coalescing", "-c"),
    ("offloads", "-k"),
    ("pause frames", "-a"),
    ("queues", "-l"),
];

/// Those of the machine that this program runs on. What an emulated one's hardware is, is no matter of settings: no
/// programs are asked there.
pub fn here(interface: &str, is_emulated: bool) -> Settings {
    let mut settings = Settings::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    for (name, path) in FILES {
        put(name, read(path));
    }
    put("microcode", of_cpuinfo("microcode"));
    put("timer ticks a second", hz());
    put(
        "cpufreq governors",
        distinct(each_cpu("cpufreq/scaling_governor")),
    );
    put("idle states", idle_states());
    put("mitigations", mitigations());
    put("interrupts' CPUs", affinity(interface));
    if is_emulated {
        return settings;
    }
    put("irqbalance", Some(runs("irqbalance")));
    for (name, option) in CARD {
        put(name, said("ethtool", &[option, interface]));
    }
    put("xl info", said("xl", &["info"]));
    put("xl vcpu-list", said("xl", &["vcpu-list"]));
    settings
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn of_cpuinfo(name: &str) -> Option<String> {
    let cpuinfo = read("/proc/cpuinfo")?;
    let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// As the kernel was configured.
fn hz() -> Option<String> {
    let release = read("/proc/sys/kernel/osrelease")?;
    let config = read(format!("/boot/config-{release}"))?;
    let mut lines = config.lines();
    lines.find_map(|line| Some(line.strip_prefix("CONFIG_HZ=")?.to_owned()))
}

/// What every CPU's file holds.
fn each_cpu(file: &str) -> Vec<String> {
    let cpus = fs::read_dir("/sys/devices/system/cpu")
        .into_iter()
        .flatten();
    cpus.filter_map(|cpu| read(cpu.ok()?.path().join(file)))
        .collect()
}

fn distinct(mut values: Vec<String>) -> Option<String> {
    values.sort();
    values.dedup();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Each with how many µs it takes to leave it, and whether it may be entered.
fn idle_states() -> Option<String> {
    let folder = fs::read_dir("/sys/devices/system/cpu/cpu0/cpuidle").ok()?;
    let mut states: Vec<_> = folder
        .filter_map(|state| Some(state.ok()?.path()))
        .collect();
    states.sort();
    let told = states.iter().filter_map(|state| {
        let (name, latency) = (read(state.join("name"))?, read(state.join("latency"))?);
        let disabled = read(state.join("disable"))? != "0";
        let disabled = if disabled { " disabled" } else { "" };
        Some(format!("{name}: {latency}{disabled}"))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

fn mitigations() -> Option<String> {
    let folder = fs::read_dir("/sys/devices/system/cpu/vulnerabilities").ok()?;
    let mut told: Vec<String> = folder
        .filter_map(|one| {
            let one = one.ok()?;
            let state = read(one.path()).filter(|state| state != "Not affected")?;
            Some(format!("{}: {state}", one.file_name().to_string_lossy()))
        })
        .collect();
    told.sort();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// Of the card's interrupts: which CPUs may have each.
fn affinity(interface: &str) -> Option<String> {
    let folder = fs::read_dir(format!("/sys/class/net/{interface}/device/msi_irqs")).ok()?;
    let numbers = folder.filter_map(|one| one.ok()?.file_name().to_string_lossy().parse().ok());
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    let told: Vec<String> = numbers
        .iter()
        .filter_map(|irq| {
            let cpus = read(format!("/proc/irq/{irq}/smp_affinity_list"))?;
            Some(format!("{irq}: {cpus}"))
        })
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

fn runs(program: &str) -> String {
    let processes = fs::read_dir("/proc").into_iter().flatten();
    let mut names = processes.filter_map(|process| read(process.ok()?.path().join("comm")));
    match names.any(|name| name == program) {
        true => "runs".into(),
        false => "doesn't run".into(),
    }
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Whose frames wait, or whose cycles vary, for another reason than the kernel's: what to do about it. `steal` is the share
/// of the time that the hypervisor took.
pub fn warnings(settings: &Settings, steal: Option<f64>) -> Vec<String> {
    let of = |name: &str| settings.get(name).map_or("", String::as_str);
    let says = |name: &str, what: &str, value: &str| {
        let mut lines = of(name).lines().filter_map(|line| line.split_once(':'));
        lines.any(|(key, said)| key.trim() == what && said.trim().starts_with(value))
    };
    let governors = of("cpufreq governors");
    let checks = [
        (
            !governors.is_empty() && governors != "performance",
            "the CPUs' frequency follows the load: `cpupower frequency-set -g performance`",
        ),
        (
            of("intel no_turbo") == "0",
            "turbo is on, so that a tick is no cycle: `echo 1 >/sys/devices/system/cpu/intel_pstate/no_turbo`",
        ),
        (
            of("cpufreq boost") == "1",
            "boost is on, so that a tick is no cycle: `echo 0 >/sys/devices/system/cpu/cpufreq/boost`",
        ),
        (
            of("smt") == "on",
            "two threads share each core: `echo off >/sys/devices/system/cpu/smt/control`, or keep the other thread idle",
        ),
        (
            deep_sleep(of("idle states")),
            "CPUs sleep so deeply that an interrupt wakes them after more than 20 µs: `cpupower idle-set -D 20`",
        ),
        (
            of("irqbalance") == "runs",
            "irqbalance moves interrupts during a run: `systemctl stop irqbalance`",
        ),
        (
            says("pause frames", "RX", "on") || says("pause frames", "TX", "on"),
            "the card may pause the sender, who then doesn't offer what it should: `ethtool -A CARD rx off tx off autoneg off`",
        ),
        (
            of("coalescing").contains("Adaptive RX: on"),
            "the card changes how it coalesces interrupts by itself: `ethtool -C CARD adaptive-rx off`",
        ),
        (
            steal.is_some_and(|steal| steal > 0.01),
            "the hypervisor took more than 1 % of the time for others: pin this domain's CPUs (`xl vcpu-pin`)",
        ),
    ];
    let told = checks.into_iter().filter(|(applies, _)| *applies);
    told.map(|(_, words)| words.to_owned()).collect()
}

fn deep_sleep(states: &str) -> bool {
    states.lines().any(|state| {
        let latency = state
            .rsplit_once(": ")
            .and_then(|(_, rest)| rest.parse::<u32>().ok());
        latency.is_some_and(|us| us > 20)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(all: &[(&str, &str)]) -> Settings {
        let each = all.iter();
        each.map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }

    #[test]
    fn a_machine_that_is_set_up_is_not_warned_of() {
        let good = settings(&[
            ("cpufreq governors", "performance"),
            ("intel no_turbo", "1"),
            ("smt", "off"),
            ("idle states", "POLL: 0\nC1: 2\nC6: 133 disabled"),
            (
                "pause frames",
                "Pause parameters for eth1:\nAutonegotiate:\toff\nRX:\t\toff\nTX:\t\toff",
            ),
        ]);
        assert!(warnings(&good, Some(0.0)).is_empty());
        assert!(warnings(&Settings::new(), None).is_empty());
    }

    #[test]
    fn each_setting_that_matters_is_warned_of_with_its_cure() {
        let bad = settings(&[
            ("cpufreq governors", "performance, powersave"),
            ("intel no_turbo", "0"),
            ("smt", "on"),
            ("idle states", "POLL: 0\nC1: 2\nC6: 133"),
            ("irqbalance", "runs"),
            (
                "pause frames",
                "Pause parameters for eth1:\nAutonegotiate:\ton\nRX:\t\ton\nTX:\t\toff",
            ),
            (
                "coalescing",
                "Coalesce parameters for eth1:\nAdaptive RX: on  TX: n/a",
            ),
        ]);
        let told = warnings(&bad, Some(0.02));
        assert_eq!(told.len(), 8, "{told:?}");
        assert!(told.iter().all(|warning| warning.contains('`')));
    }

    #[test]
    fn what_is_read_here_has_no_empty_value() {
        let here = here("lo", true);
        assert!(here.contains_key("boot id"));
        assert!(here.values().all(|value| !value.is_empty()));
    }
}
