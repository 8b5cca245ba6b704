//! `xcap-bench`: what a probe costs.

mod cli;

use anyhow::{Context, Result};
use clap::Parser;
use cli::{CheckOptions, Cli, Command, UmaskOptions};
use std::fs;
use std::process::ExitCode;
use xcap_bench::bed::Bed;
use xcap_bench::job::Job;
use xcap_bench::umask::{self, Plan};
use xcap_bench::{check, show};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xcap-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Umask(options) => umask(&options),
        Command::Check(options) => check(&options),
        Command::Guest { job } => {
            let job: Job = serde_json::from_str(&job).context("that is no job")?;
            println!("{}", serde_json::to_string(&job.run()?)?);
            Ok(())
        }
    }
}

fn umask(options: &UmaskOptions) -> Result<()> {
    let plan = Plan {
        runs: options.runs,
        calls: options.calls,
    };
    let experiment = umask::run(plan, &options.backends)?;
    if !options.quiet {
        print!("{}", show::umask(&experiment));
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&experiment)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    Ok(())
}

fn check(options: &CheckOptions) -> Result<()> {
    let bed = Bed::prepare(options.module.as_deref())?;
    check::run(&bed, options.update)
}
