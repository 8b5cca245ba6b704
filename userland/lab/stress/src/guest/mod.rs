// SPDX-License-Identifier: GPL-2.0

//! What is done in a guest. Each workload is a loop of rounds among [`actors`], and ends with [`rest`].

mod actors;
mod cycles;
mod files;
mod fuzz;
mod grammar;
mod journal;
pub mod outcome;
mod rest;
mod round;
mod watch;

use anyhow::Result;
use clap::{Args, ValueEnum};
use journal::Journal;
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

/// Runs a workload, and prints what came of it.
pub fn run(options: &Options) -> Result<ExitCode> {
    let journal = Journal::new();
    let watch = Watch::new(Duration::from_secs(options.patience))?;
    let mut rounds = Rounds::new(options.rounds, Duration::from_secs(options.seconds));
    let (rounds, seed) = (&mut rounds, options.seed);
    let ended = match options.workload {
        Workload::Fuzz => fuzz::run(rounds, seed, &journal, &watch),
        Workload::Cycles => cycles::run(rounds, seed, &journal, &watch),
    };
    if journal.expect(ended).is_some() {
        rest::check(&journal);
    }
    let failures = journal.failures();
    outcome::print(&failures, rounds.done());
    Ok(ExitCode::from(u8::from(!failures.is_empty())))
}
