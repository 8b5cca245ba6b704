// SPDX-License-Identifier: GPL-2.0

//! How a machine's CPUs spent the time of a run, as its kernel accounts for it.

use std::time::{Duration, Instant};

use procfs::{CurrentSI, KernelStats};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of all its CPUs together, nanoseconds, to the kernel's 10 ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CpuTime {
    /// From the first reading to the second, by the clock.
    pub window_ns: u64,
    /// CPUs that were there.
    pub cpus: u64,
    pub user_ns: u64,
    /// In the kernel, interrupts left out.
    pub system_ns: u64,
    pub idle_ns: u64,
    pub irq_ns: u64,
    pub softirq_ns: u64,
    /// The hypervisor ran something else, or itself.
    pub steal_ns: u64,
}

impl CpuTime {
    /// The share of all CPUs' time that the hypervisor took.
    pub fn stolen(&self) -> f64 {
        self.steal_ns as f64 / (self.window_ns * self.cpus).max(1) as f64
    }
}

/// A first reading.
pub struct Begun {
    at: Instant,
    spent: Option<CpuTime>,
}

impl Begun {
    pub fn now() -> Self {
        Self {
            at: Instant::now(),
            spent: read(),
        }
    }

    /// What was spent since; none where the kernel doesn't say.
    pub fn since(&self) -> Option<CpuTime> {
        let (then, now) = (self.spent?, read()?);
        Some(CpuTime {
            window_ns: self.at.elapsed().as_nanos() as u64,
            cpus: now.cpus,
            user_ns: now.user_ns.saturating_sub(then.user_ns),
            system_ns: now.system_ns.saturating_sub(then.system_ns),
            idle_ns: now.idle_ns.saturating_sub(then.idle_ns),
            irq_ns: now.irq_ns.saturating_sub(then.irq_ns),
            softirq_ns: now.softirq_ns.saturating_sub(then.softirq_ns),
            steal_ns: now.steal_ns.saturating_sub(then.steal_ns),
        })
    }
}

fn read() -> Option<CpuTime> {
    let stats = KernelStats::current().ok()?;
    let total = stats.total;
    let nanoseconds = |duration: Duration| duration.as_nanos() as u64;
    let each = |duration: Option<Duration>| duration.map_or(0, nanoseconds);
    Some(CpuTime {
        window_ns: 0,
        cpus: stats.cpu_time.len() as u64,
        user_ns: nanoseconds(total.user_duration()) + nanoseconds(total.nice_duration()),
        system_ns: nanoseconds(total.system_duration()),
        idle_ns: nanoseconds(total.idle_duration()) + each(total.iowait_duration()),
        irq_ns: each(total.irq_duration()),
        softirq_ns: each(total.softirq_duration()),
        steal_ns: each(total.steal_duration()),
    })
}
