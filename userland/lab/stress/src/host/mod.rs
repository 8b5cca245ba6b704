// SPDX-License-Identifier: GPL-2.0

//! What is done on the host: kernels and machines, one workload after another, and what came of them.

mod machine;
mod parsing;
mod plan;
mod results;
mod table;
mod xen;

use crate::guest::outcome::Outcome;
use crate::guest::Workload;
use crate::parsers::Parser;
use anyhow::Result;
use clap::{Args, ValueEnum};
use machine::{keep_logs, name_of};
use plan::{Dose, Variant};
use results::{Results, Row};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use xcap_machines::build::module;
use xcap_machines::cache::Cache;
use xcap_machines::materials::source_tree;
use xcap_machines::Materials;

/// Of what runs on the host alone.
const NO_KERNEL: &str = "-";

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    xcap-stress run                               all of it: an hour\n  \
    xcap-stress run --kernel stock --quick        a minute\n  \
    xcap-stress run --what fuzz --seed 4711       the same commands again\n\n\
    What was finished is kept; the next start goes on after it.\n\n\
    Exit status: 0 nothing was found, 1 something was, or an error, 2 wrong usage.")]
pub struct Options {
    /// On these kernels only
    #[arg(
        long = "kernel",
        value_enum,
        value_delimiter = ',',
        value_name = "KERNEL"
    )]
    kernels: Vec<Variant>,
    /// These workloads only
    #[arg(long, value_enum, value_delimiter = ',')]
    what: Vec<Workload>,
    /// What is at random follows from it; a new one unless said here
    #[arg(long)]
    seed: Option<u64>,
    /// A fiftieth of the rounds
    #[arg(long)]
    quick: bool,
    /// Where to leave stress.json and the logs of what failed
    #[arg(long, value_name = "DIR", default_value = "results/stress")]
    results: PathBuf,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let cache = Cache::open()?;
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let variants = chosen(&options.kernels);
    let doses: Vec<Dose> = plan::doses(options.quick)
        .into_iter()
        .filter(|dose| options.what.is_empty() || options.what.contains(&dose.workload))
        .collect();
    let parsers = if options.what.is_empty() && options.kernels.is_empty() {
        Parser::value_variants()
    } else {
        &[]
    };
    let all = variants.len() * doses.len() + parsers.len();
    let source = module::sources_digest(&source_tree()?)?;
    let mut results = Results::open(&options.results, &source, |rows| rows.len() >= all)?;
    for &parser in parsers {
        parsed(parser, seed, options, &mut results)?;
    }
    for variant in variants {
        on_kernel(&cache, variant, &doses, seed, options, &mut results)?;
    }
    xcap_output::print(&table::table(&results.rows))?;
    let failed = results.rows.iter().any(|row| row.failures > 0);
    Ok(ExitCode::from(u8::from(failed)))
}

fn chosen(kernels: &[Variant]) -> Vec<Variant> {
    if kernels.is_empty() {
        clap::ValueEnum::value_variants().to_vec()
    } else {
        kernels.to_vec()
    }
}

fn on_kernel(
    cache: &Cache,
    variant: Variant,
    doses: &[Dose],
    seed: u64,
    options: &Options,
    results: &mut Results,
) -> Result<()> {
    let materials = Materials::with_kernel(cache.clone(), variant.kernel(cache)?)?;
    let kernel = materials.kernel.release.clone();
    for dose in doses {
        let what = name_of(dose.workload);
        if results.has(&kernel, &what) {
            eprintln!("xcap-stress: {kernel}: {what}: done before");
            continue;
        }
        let begun = Instant::now();
        let ended = match dose.workload {
            Workload::Xen => xen::run(&materials, dose)?,
            _ => machine::run(&materials, dose, seed, variant.slowness())?,
        };
        let logs = match ended.logs {
            Some(logs) if !ended.outcome.failures.is_empty() => {
                let kept = options.results.join(format!("{kernel}-{what}-{seed}"));
                keep_logs(&logs, &kept)?;
                Some(kept)
            }
            _ => None,
        };
        let row = row(&kernel, &what, seed, begun, ended.outcome);
        results.add(Row { logs, ..row })?;
    }
    Ok(())
}

/// A minute of one of userland's parsers.
fn parsed(parser: Parser, seed: u64, options: &Options, results: &mut Results) -> Result<()> {
    let what = format!("parse {}", name_of(parser));
    if results.has(NO_KERNEL, &what) {
        return Ok(());
    }
    let begun = Instant::now();
    let longest = Duration::from_secs(if options.quick { 3 } else { 60 });
    let name = format!("parse-{}", name_of(parser));
    let outcome = parsing::run(parser, &name, seed, longest, &options.results)?;
    results.add(row(NO_KERNEL, &what, seed, begun, outcome))
}

fn row(kernel: &str, what: &str, seed: u64, begun: Instant, outcome: Outcome) -> Row {
    let row = Row {
        kernel: kernel.to_owned(),
        what: what.to_owned(),
        rounds: outcome.rounds,
        failures: outcome.failures.len() as u64,
        seconds: begun.elapsed().as_secs(),
        seed,
        told: outcome.failures,
        logs: None,
        skipped: outcome.skipped,
        source: String::new(),
    };
    let (rounds, failures, seconds) = (row.rounds, row.failures, row.seconds);
    eprintln!("xcap-stress: {kernel}: {what}: {rounds} rounds, {failures} failures, {seconds} s");
    row
}
