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

    fn longest(&mut self) -> &mut Duration {
        match self {
            Self::Parse(_, longest) => longest,
            Self::Work(_, dose) => &mut dose.longest,
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

/// Of the minutes that are given; the rest is for starting machines.
const PERCENT_AT_WORK: u64 = 88;

/// For a minute's parsing, in the unit of [`Plan::doses`].
const PARSING: u64 = 60;

impl Plan<'_> {
    /// What was chosen. A part has the minutes of all, its jobs as they would share an hour.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        if self.workloads.is_empty() && self.kernels.is_empty() {
            let longest = Duration::from_secs(PARSING);
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
        self.scale(&mut jobs);
        jobs
    }

    fn scale(&self, jobs: &mut [Job]) {
        let all: u64 = jobs.iter_mut().map(|job| job.longest().as_secs()).sum();
        let lanes = u64::from(self.lanes).min(jobs.len() as u64);
        let given = u64::from(self.minutes) * 60 * lanes * PERCENT_AT_WORK / 100;
        let given = if self.quick { given / 10 } else { given };
        for longest in jobs.iter_mut().map(Job::longest) {
            let seconds = longest.as_secs() * given / all;
            *longest = Duration::from_secs(seconds.max(1));
        }
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
            longest: Duration::from_secs(seconds),
        };
        // It is much slower: what it finds, it finds in a few.
        let counted = if variant == Variant::Debug { 120 } else { 300 };
        let mut doses = vec![
            dose(Workload::Fuzz, 27_000, counted),
            dose(Workload::Cycles, 300, 2 * counted + counted / 3),
            dose(Workload::Storm, 2_000, 40),
            dose(Workload::Hotplug, 500, 40),
            dose(Workload::Drivers, 200, 40),
            dose(Workload::Neighbours, 500, 60),
            dose(Workload::Suspend, 50, 60),
        ];
        match variant {
            Variant::Stock => doses.push(dose(Workload::Xen, 5, 300)),
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
        let mut jobs = plan.jobs();
        jobs.iter_mut().map(|job| job.longest().as_secs()).sum()
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
        // It has one lane, and all of the minutes.
        assert_eq!(seconds(&plan), 60 * 60 * PERCENT_AT_WORK / 100);
    }
}
