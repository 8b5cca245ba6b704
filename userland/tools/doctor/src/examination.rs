// SPDX-License-Identifier: GPL-2.0

//! All that can be said of a machine before it is measured.

use serde::Serialize;
use xcap_abi::paths::STATS;
use xcap_abi::role::Role;
use xcap_stats::{load, Stats};

use crate::absence::absence;
use crate::check::{Check, Verdict};
use crate::host::Host;
use crate::lockdown::{wants_signatures, Lockdown};
use crate::stage::{expected, told, StageCheck};
use crate::tracers::Ours;
use crate::{clock, kernel, processor, role, tracers};

/// Version of what `--json` prints.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examination {
    pub format: u32,
    pub kernel: String,
    pub role: &'static str,
    pub cpus: usize,
    /// The worst of `checks`.
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    /// Whether `stages` are as the loaded module says; else as it can be expected to.
    pub loaded: bool,
    pub stages: Vec<StageCheck>,
}

impl Examination {
    /// Looks at the machine that we run on.
    pub fn of(host: &Host) -> Self {
        let absence = absence(host);
        let stats = match absence {
            None => load(&host.path(STATS)).ok(),
            Some(_) => None,
        };
        let role = role_of(host, stats.as_ref());
        let reading = stats
            .as_ref()
            .and_then(|stats| stats.tsc.as_ref())
            .map_or_else(clock::reading, |tsc| tsc.rdtsc_cycles);
        let told = told(host);
        let loaded = told.is_some();
        let stages = told.unwrap_or_else(|| expected(host, role));
        let ours: Ours = stages
            .iter()
            .filter(|stage| loaded && stage.armed)
            .filter_map(|stage| Some((stage.function.as_deref()?, stage.ftrace_users())))
            .collect();
        let module = match absence {
            Some(absence) => Check::fatal("module", absence.to_string()),
            None => module(stats.as_ref(), &stages),
        };
        let checks = vec![
            kernel::check(host),
            module,
            processor::kind(host, role),
            clock::check(host, role, reading),
            processor::frequency(host),
            processor::threads(host),
            processor::mitigations(host),
            tracers::check(host, &ours),
            lockdown(host),
        ];
        Self {
            format: FORMAT,
            kernel: host.release(),
            role: role.word(),
            cpus: processor::cpus(host),
            verdict: checks
                .iter()
                .map(|check| check.verdict)
                .max()
                .unwrap_or(Verdict::Good),
            checks,
            loaded,
            stages,
        }
    }
}

/// As the module says, else as it would.
fn role_of(host: &Host, stats: Option<&Stats>) -> Role {
    let told = stats.and_then(|stats| Role::parse(&stats.role));
    told.unwrap_or_else(|| role::role(host))
}

fn module(stats: Option<&Stats>, stages: &[StageCheck]) -> Check {
    let armed = stages.iter().filter(|stage| stage.armed).count();
    let found = format!("loaded, {armed} of {} stages armed", stages.len());
    match stats {
        Some(stats) if stats.recording == Some(false) => {
            Check::bad("module", format!("{found}, not recording"))
                .advise("echo start > /sys/kernel/debug/xcap/control")
        }
        _ if armed == 0 => Check::fatal("module", found)
            .advise("load the network card's driver; see the stages below"),
        _ => Check::good("module", found),
    }
}

fn lockdown(host: &Host) -> Check {
    match Lockdown::of(host) {
        Lockdown::None if wants_signatures(host) => {
            Check::note("lockdown", "none, but modules have to be signed")
        }
        Lockdown::None => Check::good("lockdown", "none"),
        lockdown => Check::note(
            "lockdown",
            format!(
                "{}: modules have to be signed, and debugfs can't be written to; see xcap(4)",
                lockdown.word()
            ),
        ),
    }
}
