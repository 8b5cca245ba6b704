// SPDX-License-Identifier: GPL-2.0

//! Which workloads run on which kernels, and for how long.

use crate::guest::Workload;
use anyhow::Result;
use clap::ValueEnum;
use std::time::Duration;
use xcap_machines::cache::Cache;
use xcap_machines::materials::kernel;
use xcap_machines::provide::flavour::{self, Flavour};
use xcap_machines::provide::kernel::Kernel;

/// A kernel that xcap is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// The lab's kernel, or KERNEL
    Stock,
    /// Debian's with PREEMPT_RT
    Rt,
    /// Debian's for clouds
    Cloud,
    /// KASAN, UBSAN, kmemleak, lockdep, RCU's proofs, fault injection
    Debug,
    /// kCFI or FineIBT, fault injection
    Cfi,
}

impl Variant {
    pub fn kernel(self, cache: &Cache) -> Result<Kernel> {
        let stock = || kernel(cache);
        let flavoured = |flavour| flavour::ensure(cache, &stock()?, flavour);
        let of_debian = |name: &str| {
            let release = stock()?.release;
            let release = release.replace("-amd64", &format!("-{name}-amd64"));
            Kernel::ensure(cache, Some(&release))
        };
        match self {
            Self::Stock => stock(),
            Self::Rt => of_debian("rt"),
            Self::Cloud => of_debian("cloud"),
            Self::Debug => flavoured(Flavour::Debug),
            Self::Cfi => flavoured(Flavour::Cfi),
        }
    }

    /// How much longer than the stock kernel it takes for the same.
    pub fn slowness(self) -> u32 {
        match self {
            Self::Debug => 10,
            _ => 1,
        }
    }
}

/// So much of a workload on one kernel.
#[derive(Clone, Copy)]
pub struct Dose {
    pub workload: Workload,
    pub rounds: u64,
    pub longest: Duration,
}

/// What each kernel gets. All kernels together get an hour, of which starting machines is some minutes.
pub fn doses(quick: bool) -> Vec<Dose> {
    let dose = |workload, rounds: u64, seconds: u64| Dose {
        workload,
        rounds: if quick { rounds.div_ceil(50) } else { rounds },
        longest: Duration::from_secs(if quick { seconds / 10 } else { seconds }),
    };
    vec![
        dose(Workload::Fuzz, 30_000, 240),
        dose(Workload::Cycles, 1_000, 120),
        dose(Workload::Storm, 2_000, 40),
        dose(Workload::Hotplug, 500, 40),
        dose(Workload::Drivers, 200, 40),
        dose(Workload::Neighbours, 500, 40),
        dose(Workload::Suspend, 50, 40),
        dose(Workload::Faults, 5_000, 120),
        dose(Workload::Xen, 5, 300),
    ]
}
