// SPDX-License-Identifier: GPL-2.0

//! What a machine is: what a reader of the figures must know of it.

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cpu_time::CpuTime;
use crate::settings::{self, Settings};

/// One machine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    pub kernel: String,
    pub cpu: String,
    pub cpus: usize,
    /// As firmware names its maker; a PV guest has no firmware.
    pub vendor: Option<String>,
    /// Version of Xen, if it runs on one.
    pub xen: Option<String>,
    pub clocksource: Option<String>,
    /// Flags of the CPU that tell of its TSC.
    pub tsc_flags: Vec<String>,
    /// Driver of the interface that the frames cross.
    pub driver: Option<String>,
    pub command_line: String,
    /// How it is set up: frequency, sleep, interrupts, the card.
    #[serde(default)]
    pub settings: Settings,
}

impl Machine {
    /// The machine that this program runs on.
    pub fn here(interface: &str) -> Self {
        let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            cpuinfo
                .lines()
                .find(|line| line.starts_with(name))
                .and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let flags = field("flags").unwrap_or_default();
        let cpu = field("model name").unwrap_or_default();
        Self {
            settings: settings::here(interface, is_emulated(&cpu)),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
            cpu,
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            vendor: read("/sys/class/dmi/id/sys_vendor"),
            xen: xen(),
            clocksource: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            tsc_flags: flags
                .split_whitespace()
                .filter(|flag| flag.contains("tsc"))
                .map(str::to_owned)
                .collect(),
            driver: driver(interface),
            command_line: read("/proc/cmdline").unwrap_or_default(),
        }
    }

    /// Whether its instructions are run by software: its cycles are then not a CPU's.
    pub fn is_emulated(&self) -> bool {
        is_emulated(&self.cpu)
    }

    /// What its settings do to the figures. An emulator's figures don't depend on them.
    pub fn warnings(&self, time: Option<CpuTime>) -> Vec<String> {
        match self.is_emulated() {
            true => Vec::new(),
            false => settings::warnings(&self.settings, time.map(|time| time.stolen())),
        }
    }

    /// Whether it's a virtual machine itself, what runs in it left aside.
    pub fn is_virtual(&self) -> bool {
        let makers = [
            "QEMU",
            "VMware",
            "innotek",
            "Microsoft Corporation",
            "Bochs",
        ];
        let vendor = self.vendor.as_deref().unwrap_or_default();
        self.is_emulated() || makers.iter().any(|maker| vendor.contains(maker))
    }
}

fn is_emulated(cpu: &str) -> bool {
    cpu.contains("TCG")
}

/// The driver of an interface; none, where no device is behind it.
pub fn driver(interface: &str) -> Option<String> {
    let link = fs::read_link(format!("/sys/class/net/{interface}/device/driver")).ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

fn xen() -> Option<String> {
    let kind = read("/sys/hypervisor/type")?;
    if kind != "xen" {
        return None;
    }
    let part = |name: &str| read(Path::new("/sys/hypervisor/version").join(name));
    Some(format!(
        "{}.{}{}",
        part("major").unwrap_or_default(),
        part("minor").unwrap_or_default(),
        part("extra").unwrap_or_default()
    ))
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
