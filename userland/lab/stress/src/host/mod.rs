// SPDX-License-Identifier: GPL-2.0

//! What is done on the host: kernels and machines, one workload after another in each lane, and what came of them.

mod ended;
mod kernels;
mod machine;
mod parsing;
mod plan;
mod results;
mod table;
mod words;
mod xen;

use crate::guest::Workload;
use anyhow::Result;
use clap::Args;
use ended::Ended;
use kernels::Kernels;
use plan::{Dose, Job, Plan, Variant};
use results::{Results, Row, Wanted};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{available_parallelism, scope};
use std::time::Instant;
use xcap_machines::build::module;
use xcap_machines::cache::Cache;
use xcap_machines::materials::source_tree;

/// What decides, beside the module, what a workload does.
const WORKLOADS: [&str; 2] = ["userland/lab/stress/src", "userland/lab/targets"];

const NOT_BUILT: &str = "this kernel isn't built yet, which a run without --built does";

pub const HELP: &str = "Examples:\n  \
    xcap-stress run                               all of it: an hour\n  \
    xcap-stress run --kernel stock --quick        a minute\n  \
    xcap-stress run --built --minutes 20          on the kernels that there are\n  \
    xcap-stress run --what fuzz --seed 4711       the same commands again\n\n\
    What was finished is kept; the next start goes on after it.\n\n\
    Exit status: 0 nothing was found, 1 something was, or an error, 2 wrong usage.";

#[derive(Args)]
#[command(after_help = HELP)]
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
    /// How long it may take, all that is chosen
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..100_000))]
    minutes: u32,
    /// Workloads at a time, one CPU each [default: as many as there are CPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..1000))]
    jobs: Option<u32>,
    /// A fiftieth of the rounds
    #[arg(long)]
    quick: bool,
    /// Leave out kernels that would have to be built first: half an hour each
    #[arg(long)]
    built: bool,
    /// Where to leave stress.json and the logs of what failed
    #[arg(long, value_name = "DIR", default_value = "results/stress")]
    results: PathBuf,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let lanes = options
        .jobs
        .unwrap_or_else(|| available_parallelism().map_or(1, |n| n.get() as u32));
    let plan = Plan {
        kernels: &options.kernels,
        workloads: &options.what,
        minutes: options.minutes,
        lanes,
        quick: options.quick,
    };
    let jobs = plan.jobs();
    let wanted: Vec<Wanted> = jobs.iter().map(Job::wanted).collect();
    let source = module::sources_digest(&source_tree()?, &WORKLOADS)?;
    let stress = Stress {
        kernels: Kernels::new(Cache::open()?),
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
        built: options.built,
        folder: &options.results,
        results: Mutex::new(Results::open(&options.results, &source, &wanted)?),
    };
    stress.in_lanes(lanes, jobs)?;
    let results = stress.results.into_inner();
    let results = results.unwrap_or_else(PoisonError::into_inner);
    let rows = results.of(&wanted);
    xcap_output::print(&table::table(&rows))?;
    let failed = rows.iter().any(|row| row.failures > 0);
    Ok(ExitCode::from(u8::from(failed)))
}

struct Stress<'a> {
    kernels: Kernels,
    seed: u64,
    /// Kernels that aren't there yet are left out.
    built: bool,
    folder: &'a PathBuf,
    results: Mutex<Results>,
}

impl Stress<'_> {
    /// Each lane takes the next job when it has ended one.
    fn in_lanes(&self, lanes: u32, jobs: Vec<Job>) -> Result<()> {
        let jobs = Mutex::new(jobs.into_iter());
        let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
        let lane = || -> Result<()> {
            while let Some(job) = next() {
                self.one(&job)?;
            }
            Ok(())
        };
        scope(|scope| {
            let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
            let ends = lanes.into_iter().map(|lane| lane.join().expect("no panic"));
            ends.fold(Ok(()), Result::and)
        })
    }

    fn one(&self, job: &Job) -> Result<()> {
        let (variant, what) = job.wanted();
        let begun = Instant::now();
        let (kernel, ended) = match *job {
            Job::Parse(parser, longest) => {
                let kernel = variant.clone();
                if self.has(&kernel, job) {
                    return Ok(());
                }
                let outcome = parsing::run(parser, &what, self.seed, longest, self.folder)?;
                (kernel, Ended::from(outcome))
            }
            Job::Work(of, _) if self.built && !self.kernels.is_built(of)? => {
                (variant.clone(), Ended::left_out(NOT_BUILT))
            }
            Job::Work(of, dose) => match self.kernels.kernel(of) {
                Ok(kernel) if self.has(&kernel.release, job) => return Ok(()),
                Ok(kernel) => (kernel.release.clone(), self.work(of, &dose, &what)),
                Err(e) => (variant.clone(), Ended::failed(&e)),
            },
        };
        let Ended { outcome, logs } = ended;
        let row = Row {
            kernel,
            what,
            rounds: outcome.rounds,
            failures: outcome.failures.len() as u64,
            seconds: begun.elapsed().as_secs(),
            seed: self.seed,
            variant,
            told: outcome.failures,
            logs,
            skipped: outcome.skipped,
            swept: outcome.swept,
            source: String::new(),
        };
        eprintln!(
            "xcap-stress: {}: {}: {} rounds, {} failures, {} s",
            row.kernel, row.what, row.rounds, row.failures, row.seconds
        );
        self.results().add(row)
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, kernel: &str, job: &Job) -> bool {
        let wanted = job.wanted();
        let has = self.results().has(kernel, &wanted);
        if has {
            eprintln!("xcap-stress: {kernel}: {}: done before", wanted.1);
        }
        has
    }

    /// Whatever can't be done has failed.
    fn work(&self, variant: Variant, dose: &Dose, what: &str) -> Ended {
        let ended = self.kernels.materials(variant).and_then(|materials| {
            let kernel = &materials.kernel.release;
            let keep = self.folder.join(format!("{kernel}-{what}-{}", self.seed));
            match dose.workload {
                Workload::Xen => xen::run(materials, dose, &keep),
                _ => machine::run(materials, dose, self.seed, variant.slowness(), &keep),
            }
        });
        ended.unwrap_or_else(|e| Ended::failed(&e))
    }
}
