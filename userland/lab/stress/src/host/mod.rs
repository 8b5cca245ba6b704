// SPDX-License-Identifier: GPL-2.0

//! What is done on the host: kernels and machines, one workload after another, and what came of them.

mod machine;
mod plan;
mod results;
mod table;

use anyhow::Result;
use clap::Args;
use machine::{keep_logs, workload_name};
use plan::{Dose, Variant};
use results::{Results, Row};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use xcap_machines::build::module;
use xcap_machines::cache::Cache;
use xcap_machines::materials::source_tree;
use xcap_machines::Materials;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    xcap-stress run                               all of it: an hour\n  \
    xcap-stress run --kernel stock --quick        a minute\n  \
    xcap-stress run --what fuzz --seed 4711       the same commands again\n\n\
    What was finished is kept; the next start goes on after it.\n\n\
    Exit status: 0 nothing was found, 1 something was, or an error, 2 wrong usage.")]
pub struct Options {
    /// On these kernels only
    #[arg(long = "kernel", value_enum, value_delimiter = ',', value_name = "KERNEL")]
    kernels: Vec<Variant>,
    /// These workloads only
    #[arg(long, value_enum, value_delimiter = ',')]
    what: Vec<crate::guest::Workload>,
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
    let all = variants.len() * doses.len();
    let source = module::sources_digest(&source_tree()?)?;
    let mut results = Results::open(&options.results, &source, |rows| rows.len() >= all)?;
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
        let what = workload_name(dose.workload);
        if results.has(&kernel, &what) {
            eprintln!("xcap-stress: {kernel}: {what}: done before");
            continue;
        }
        let begun = Instant::now();
        let ended = machine::run(&materials, dose, seed, variant.slowness())?;
        let failures = ended.outcome.failures;
        let logs = match ended.logs {
            Some(logs) if !failures.is_empty() => {
                let kept = options.results.join(format!("{kernel}-{what}-{seed}"));
                keep_logs(&logs, &kept)?;
                Some(kept)
            }
            _ => None,
        };
        let row = Row {
            kernel: kernel.clone(),
            what,
            rounds: ended.outcome.rounds,
            failures: failures.len() as u64,
            seconds: begun.elapsed().as_secs(),
            seed,
            told: failures,
            logs,
            skipped: None,
            source: results.source.clone(),
        };
        eprintln!(
            "xcap-stress: {kernel}: {}: {} rounds, {} failures, {} s",
            row.what, row.rounds, row.failures, row.seconds
        );
        results.add(row)?;
    }
    Ok(())
}
