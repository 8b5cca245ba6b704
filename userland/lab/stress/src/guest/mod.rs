// SPDX-License-Identifier: GPL-2.0

//! What is done in a guest. Each workload is a loop of rounds among [`actors`], and ends with [`rest`].

mod actors;
mod cycles;
mod drivers;
mod faults;
mod files;
mod fuzz;
mod grammar;
mod hotplug;
mod journal;
mod marks;
mod neighbours;
mod operations;
pub mod outcome;
mod places;
mod rest;
pub mod round;
pub mod stages;
mod storm;
mod suspend;
mod watch;

use anyhow::Result;
use clap::{Args, ValueEnum};
use journal::Journal;
pub use neighbours::perf;
use outcome::Outcome;
use round::Rounds;
use std::process::ExitCode;
use std::time::Duration;
use watch::Watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Commands of all kinds, well formed or not
    Fuzz,
    /// xcap is loaded and unloaded
    Cycles,
    /// Calls without a pause, while all is changed that can be
    Storm,
    /// CPUs come and go
    Hotplug,
    /// Probed modules come and go
    Drivers,
    /// Others that hook functions come and go
    Neighbours,
    /// The machine sleeps and wakes
    Suspend,
    /// Each allocation fails once
    Faults,
    /// In the Xen lab: vCPUs come and go, xl save and restore, a domU killed, netback gone
    Xen,
}

#[derive(Args)]
pub struct Options {
    #[arg(value_enum)]
    pub workload: Workload,
    #[arg(long)]
    pub seed: u64,
    #[arg(long, default_value_t = u64::MAX)]
    pub rounds: u64,
    /// No round begins later than this
    #[arg(long, default_value_t = 600)]
    pub seconds: u64,
    /// What takes longer than so many seconds hangs
    #[arg(long, default_value_t = 120)]
    pub patience: u64,
}

/// Why a workload can't be on this kernel.
fn impossible(workload: Workload) -> Option<&'static str> {
    match workload {
        Workload::Faults if !faults::is_possible() => Some("CONFIG_FAULT_INJECTION isn't set"),
        Workload::Suspend if !suspend::is_possible() => {
            Some("the machine can't sleep, or has no clock to wake it")
        }
        Workload::Xen => Some("it is the host's"),
        _ => None,
    }
}

/// Runs a workload, and prints what came of it.
pub fn run(options: &Options) -> Result<ExitCode> {
    let journal = Journal::new();
    let watch = Watch::new(Duration::from_secs(options.patience))?;
    let mut rounds = Rounds::new(options.rounds, Duration::from_secs(options.seconds));
    if let Some(why) = impossible(options.workload) {
        Outcome::skipped(why).print();
        return Ok(ExitCode::SUCCESS);
    }
    let (rounds, seed) = (&mut rounds, options.seed);
    let ended = match options.workload {
        Workload::Fuzz => fuzz::run(rounds, seed, &journal, &watch),
        Workload::Cycles => cycles::run(rounds, seed, &journal, &watch),
        Workload::Storm => storm::run(rounds, seed, &journal, &watch),
        Workload::Hotplug => hotplug::run(rounds, seed, &journal, &watch),
        Workload::Drivers => drivers::run(rounds, seed, &journal, &watch),
        Workload::Neighbours => neighbours::run(rounds, seed, &journal, &watch),
        Workload::Suspend => suspend::run(rounds, seed, &journal, &watch),
        Workload::Faults => faults::run(rounds, seed, &journal, &watch),
        Workload::Xen => Ok(()),
    };
    if journal.expect(ended).is_some() {
        rest::check(&journal, options.workload == Workload::Faults);
    }
    let outcome = journal.outcome(rounds.done());
    outcome.print();
    Ok(ExitCode::from(u8::from(!outcome.failures.is_empty())))
}
