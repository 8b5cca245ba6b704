// SPDX-License-Identifier: GPL-2.0

//! `xcap-bench`: what a probe costs.

use anyhow::{bail, Context, Result};
use clap::{Parser, ValueEnum};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use xcap_bench::bench::{Benchmark, Part};
use xcap_bench::cli::{AllOptions, CheckOptions, Cli, Command, SiliconOptions, UmaskOptions};
use xcap_bench::job::Job;
use xcap_bench::testbed::Testbed;
use xcap_bench::umask::{self, Plan};
use xcap_bench::workload::Workload;
use xcap_bench::{check, document, show};
use xcap_machines::files::replace;
use xcap_output::print;

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
        Command::Silicon(options) => silicon(&options),
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
    let workload = match options.deep {
        true => Workload::Datagram,
        false => Workload::Umask,
    };
    let plan = Plan {
        workload,
        runs: options.runs,
        calls: options.calls.unwrap_or(workload.calls()),
    };
    if options.one_run {
        let us = umask::one_run(workload, plan.calls)?;
        return Ok(print(&format!("{us}\n"))?);
    }
    // Short enough to be typed.
    let seed = options.seed.unwrap_or_else(|| fastrand::u32(..));
    let experiment = umask::run(plan, &options.backends, seed.into(), in_a_process)?;
    if !options.quiet {
        print(&show::umask(&experiment))?;
    }
    let text = serde_json::to_string_pretty(&experiment)? + "\n";
    match options.json.as_deref() {
        None => {}
        Some(path) if path == Path::new("-") => print(&text)?,
        Some(path) => replace(path, &text)?,
    }
    Ok(())
}

/// One run, by a fresh process.
fn in_a_process(workload: Workload, calls: u32) -> Result<f64> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(["umask", "--one-run", "--calls", &calls.to_string()]);
    if !workload.is_umask() {
        command.arg("--deep");
    }
    let output = command.output().context("cannot start a run")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{}", why.trim().trim_start_matches("xcap-bench: "));
    }
    let us = said.trim().parse();
    us.with_context(|| format!("a run printed '{}'", said.trim()))
}

fn silicon(options: &SiliconOptions) -> Result<()> {
    let (repetitions, calls) = match options.quick {
        true => (5, 101),
        false => (options.repetitions, options.calls),
    };
    let silicon = xcap_silicon::measure(&xcap_silicon::Plan {
        repetitions,
        calls,
        cpu: options.cpu,
    })?;
    if !options.quick {
        silicon.check_noise()?;
    }
    let text = serde_json::to_string_pretty(&silicon)? + "\n";
    replace(&options.output.join("silicon.json"), &text)?;
    if let Some(path) = &options.document {
        let document = fs::read_to_string(path)
            .with_context(|| format!("cannot read '{}'", path.display()))?;
        let section = xcap_silicon::document::section(&silicon);
        replace(path, xcap_silicon::document::place(&document, &section))?;
    }
    if !options.quiet {
        print(&xcap_silicon::show::silicon(&silicon))?;
    }
    Ok(())
}

fn check(options: &CheckOptions) -> Result<()> {
    let testbed = Testbed::prepare(options.module.as_deref())?;
    check::run(&testbed, options.update)
}

fn all(options: &AllOptions) -> Result<()> {
    let testbed = Testbed::prepare(options.module.as_deref())?;
    let plan = Plan {
        workload: Workload::Umask,
        runs: options.runs,
        calls: options.calls,
    };
    let tree = xcap_machines::materials::source_tree()?;
    let details = tree.join("results/bench/details.json");
    let mut benchmark = Benchmark::new(&testbed)?;
    let mut parts = options.parts.clone();
    if parts.is_empty() {
        parts.extend(Part::value_variants());
    } else if let Ok(text) = fs::read_to_string(&details) {
        let last: Benchmark = serde_json::from_str(&text).with_context(|| {
            format!(
                "'{}' is of another version: measure all parts",
                details.display()
            )
        })?;
        if last.kernel == benchmark.kernel {
            benchmark = last;
        }
    }
    // What was measured is kept, whatever becomes of the rest.
    let keep = |benchmark: &Benchmark| {
        if let Err(e) = save(benchmark, &tree) {
            eprintln!("xcap-bench: {e:#}");
        }
    };
    for part in parts {
        benchmark.measure(&testbed, part, plan, &options.peers, &keep);
    }
    save(&benchmark, &tree)?;
    let path = tree.join("docs/benchmarks.md");
    let mut document = document::markdown(&benchmark);
    // What `make silicon` wrote is of a machine that needn't be this one.
    let old = fs::read_to_string(&path).unwrap_or_default();
    if let Some(section) = xcap_silicon::document::section_of(&old) {
        document = xcap_silicon::document::place(&document, section);
    }
    replace(&path, &document)?;
    eprintln!("xcap-bench: wrote docs/benchmarks.md and results/bench/bench.json");
    print(&document)?;
    if !benchmark.failed.is_empty() {
        let parts: Vec<&str> = benchmark.failed.keys().map(String::as_str).collect();
        bail!(
            "could not be measured: {}; docs/benchmarks.md says why",
            parts.join(", ")
        );
    }
    Ok(())
}

fn save(benchmark: &Benchmark, tree: &Path) -> Result<()> {
    let folder = tree.join("results/bench");
    let text = |json: serde_json::Result<String>| json.map(|text| text + "\n");
    replace(
        &folder.join("bench.json"),
        &text(serde_json::to_string_pretty(&benchmark.rows))?,
    )?;
    replace(
        &folder.join("details.json"),
        &text(serde_json::to_string_pretty(benchmark))?,
    )
}
