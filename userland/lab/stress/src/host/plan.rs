// SPDX-License-Identifier: GPL-2.0

//! Which workloads run on which kernels, and for how long.

use crate::guest::Workload;
use crate::host::results::Wanted;
use crate::host::words::name_of;
use crate::parsers::Parser;
use clap::ValueEnum;
use std::time::Duration;

/// A kernel that xcap is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// The lab's kernel, or KERNEL
    Stock,
    /// Debian's with PREEMPT_RT
    Rt,
    /// Debian's for clouds
    Cloud,
    /// kCFI or FineIBT, fault injection
    Cfi,
    /// KASAN, UBSAN, kmemleak, lockdep, RCU's proofs, fault injection
    Debug,
}

/// Variant of what runs on the host alone.
const NO_KERNEL: &str = "-";

impl Variant {
    /// How much longer than the stock kernel it takes for the same.
    pub fn slowness(self) -> u32 {
        match self {
            Self::Debug => 5,
            _ => 1,
        }
    }
}

/// So much of a workload on one kernel.
#[derive(Clone, Copy, Debug)]
pub struct Dose {
    pub workload: Workload,
    pub rounds: u64,
    pub longest: Duration,
}

/// What is done at a time.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    Parse(Parser, Duration),
    Work(Variant, Dose),
}

impl Job {
    pub fn wanted(&self) -> Wanted {
        match self {
            Self::Parse(parser, _) => (NO_KERNEL.to_owned(), format!("parse {}", name_of(*parser))),
            Self::Work(variant, dose) => (name_of(*variant), name_of(dose.workload)),
        }
    }
}

/// What is to be done, all of it or a part.
pub struct Plan<'a> {
    /// None: all.
    pub kernels: &'a [Variant],
    /// None: all.
    pub workloads: &'a [Workload],
    pub minutes: u32,
    pub lanes: u32,
    pub quick: bool,
}

/// The seconds below are an hour's, in two lanes.
const HOUR: u32 = 60 * 2;

impl Plan<'_> {
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        if self.workloads.is_empty() && self.kernels.is_empty() {
            let longest = self.scaled(60);
            let parsers = Parser::value_variants().iter();
            jobs.extend(parsers.map(|&parser| Job::Parse(parser, longest)));
        }
        for &variant in Variant::value_variants() {
            if !self.kernels.is_empty() && !self.kernels.contains(&variant) {
                continue;
            }
            for dose in self.doses(variant) {
                if self.workloads.is_empty() || self.workloads.contains(&dose.workload) {
                    jobs.push(Job::Work(variant, dose));
                }
            }
        }
        jobs
    }

    fn scaled(&self, seconds: u64) -> Duration {
        let seconds = seconds * u64::from(self.minutes * self.lanes) / u64::from(HOUR);
        Duration::from_secs(if self.quick { seconds / 10 } else { seconds }.max(1))
    }

    /// All kernels together do 100,000 commands of fuzzing, and load and unload 1,000 times.
    fn doses(&self, variant: Variant) -> Vec<Dose> {
        let dose = |workload, rounds: u64, seconds: u64| Dose {
            workload,
            rounds: if self.quick {
                rounds.div_ceil(50)
            } else {
                rounds
            },
            longest: self.scaled(seconds),
        };
        let mut doses = vec![
            dose(Workload::Fuzz, 27_000, 300),
            dose(Workload::Cycles, 300, 300),
            dose(Workload::Storm, 2_000, 40),
            dose(Workload::Hotplug, 500, 40),
            dose(Workload::Drivers, 200, 40),
            dose(Workload::Neighbours, 500, 60),
            dose(Workload::Suspend, 50, 60),
        ];
        match variant {
            Variant::Stock => doses.push(dose(Workload::Xen, 5, 400)),
            Variant::Cfi | Variant::Debug => doses.push(dose(Workload::Faults, 20_000, 240)),
            // PREEMPT_RT says nothing as a dom0; clouds' kernels can't be one.
            Variant::Rt | Variant::Cloud => {}
        }
        doses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(plan: &Plan) -> u64 {
        let longest = |job: &Job| match job {
            Job::Parse(_, longest) => longest.as_secs(),
            Job::Work(_, dose) => dose.longest.as_secs(),
        };
        plan.jobs().iter().map(longest).sum()
    }

    #[test]
    fn it_all_takes_the_minutes_that_were_given() {
        for (minutes, lanes) in [(60, 2), (60, 1), (120, 4), (30, 2)] {
            let plan = Plan {
                kernels: &[],
                workloads: &[],
                minutes,
                lanes,
                quick: false,
            };
            let given = u64::from(minutes * lanes * 60);
            // The rest is for starting machines.
            let used = seconds(&plan);
            assert!(
                used < given * 9 / 10 && used > given * 6 / 10,
                "{used} of {given}"
            );
        }
    }

    #[test]
    fn a_part_is_what_was_asked_for_alone() {
        let plan = Plan {
            kernels: &[Variant::Rt],
            workloads: &[Workload::Fuzz],
            minutes: 60,
            lanes: 2,
            quick: false,
        };
        let wanted: Vec<Wanted> = plan.jobs().iter().map(Job::wanted).collect();
        assert_eq!(wanted, [("rt".to_owned(), "fuzz".to_owned())]);
    }
}
