// SPDX-License-Identifier: GPL-2.0

//! Whether the TSC can be trusted.

use std::arch::x86_64::_rdtsc;

use xcap_abi::role::Role;

use crate::check::Check;
use crate::host::Host;

/// More than a reading takes on any processor, less than a hypervisor does. As the module has it.
const TRAP_CYCLES: u64 = 500;

/// Tries, of which the fastest counts.
const TRIES: u32 = 64;

/// Readings in a try: one may overtake the next, many don't.
const READINGS: u64 = 16;

/// What a reading of the TSC takes here, in its own cycles.
pub fn reading() -> u64 {
    // SAFETY: Every x86-64 processor has the instruction; where it is forbidden to programs, nothing of a normal
    // system works.
    let now = || unsafe { _rdtsc() };
    let tries = (0..TRIES).map(|_| {
        let first = now();
        let last = (0..READINGS).fold(first, |_, _| now());
        last.wrapping_sub(first) / READINGS
    });
    tries.min().unwrap_or(0)
}

/// By what a reading takes, and what the kernel says of it.
pub fn check(host: &Host, role: Role, reading: u64) -> Check {
    if reading > TRAP_CYCLES {
        let found = format!("each reading of the TSC traps to the hypervisor ({reading} cycles)");
        return Check::bad("clock", found).advise(match role {
            Role::Bare => "have the hypervisor pass the TSC through",
            _ => "tsc_mode=\"native\" in the domU's configuration, and boot it with tsc=reliable clocksource=tsc",
        });
    }
    let flags = host.text("/proc/cpuinfo").unwrap_or_default();
    let has = |flag: &str| {
        let mut lines = flags.lines().filter(|line| line.starts_with("flags"));
        lines.any(|line| line.split_whitespace().any(|word| word == flag))
    };
    if !(has("constant_tsc") && has("nonstop_tsc")) {
        return Check::bad(
            "clock",
            "the TSC is not invariant: its cycles may differ in length",
        )
        .advise(match role {
            Role::Bare => {
                "fix the processor's frequency, boot with cpuidle.off=1; an emulated one never is"
            }
            _ => "tsc_mode=\"native\" in the domain's configuration, and boot with tsc=reliable",
        });
    }
    let current = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = host.text(current).unwrap_or_else(|| "?".into());
    let found = format!(
        "TSC invariant, native, read in {reading} cycles; the kernel's own clock is {source}"
    );
    if source == "tsc" || role != Role::Bare {
        Check::good("clock", found)
    } else {
        Check::note("clock", found).advise(
            "dmesg | grep -i tsc tells why it is not tsc: the kernel may have found it unstable",
        )
    }
}
