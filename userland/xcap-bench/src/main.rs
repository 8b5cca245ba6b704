//! `xcap-bench`: what a probe costs.

mod cli;

use anyhow::{Context, Result};
use clap::Parser;
use cli::{AllOptions, CheckOptions, Cli, Command, UmaskOptions};
use std::fs;
use std::process::ExitCode;
use xcap_bench::bed::Bed;
use xcap_bench::job::Job;
use xcap_bench::umask::{self, Plan};
use xcap_bench::{bench, check, document, show};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command.unwrap_or(Command::All(cli.all))) {
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
        Command::All(options) => all(&options),
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

fn all(options: &AllOptions) -> Result<()> {
    let bed = Bed::prepare(options.module.as_deref())?;
    let plan = Plan {
        runs: options.runs,
        calls: options.calls,
    };
    let benchmark = bench::run(&bed, plan, &options.peers)?;
    let tree = xcap_lab::materials::source_tree()?;
    let folder = tree.join("results/bench");
    fs::create_dir_all(&folder)?;
    let document = document::markdown(&benchmark);
    let mut files = vec![
        (
            folder.join("bench.json"),
            serde_json::to_string_pretty(&benchmark.rows)? + "\n",
        ),
        (
            folder.join("details.json"),
            serde_json::to_string_pretty(&benchmark)? + "\n",
        ),
    ];
    // What is in the repository has every row.
    if options.peers.is_empty() {
        files.push((tree.join("docs/benchmarks.md"), document.clone()));
    }
    for (path, text) in files {
        fs::create_dir_all(path.parent().unwrap_or(&tree))?;
        let cannot = || format!("cannot write '{}'", path.display());
        let partial = path.with_extension("partial");
        fs::write(&partial, text).with_context(cannot)?;
        fs::rename(&partial, &path).with_context(cannot)?;
        eprintln!("xcap-bench: wrote {}", path.display());
    }
    print!("{document}");
    Ok(())
}
