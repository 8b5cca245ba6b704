// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

mod schemas;

use std::process::ExitCode;

use anyhow::{bail, Result};
use clap::Parser;
use xcap_machines::config::emulation::Clock;
use xcap_paper::compare::{self, Question};
use xcap_paper::peers::{FromDebian, Nobody};
use xcap_paper::{journeys, loads, report};
use xcap_study::layout::Layout;
use xcap_study::load;
use xcap_study::planned::Planned;
use xcap_study::role::Role;
use xcap_study::run::lab::LabSource;
use xcap_study::run::reached::{Commands, Machine};
use xcap_study::run::rivals::Rivals;
use xcap_study::run::{self, run_missing, Plan};
use xcap_study::run_id::Environment;
use xcap_study::{gather, record};

use xcap_paper::cli::{
    Cli, Command, CompareOptions, GatherOptions, JourneysOptions, MachineOptions, OverheadOptions,
    ReportOptions, RunOptions, SweepOptions, TransmitOptions, WaysOptions,
};

/// Exit status of a comparison that found more growth than is allowed.
const BEYOND: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match (cli.schema, cli.command) {
        (Some(schema), _) => schemas::print(schema),
        (None, Some(Command::Run(options))) => run_study(&options),
        (None, Some(Command::Report(options))) => write_report(&options),
        (None, Some(Command::Compare(options))) => match compare(&options) {
            Ok(false) => Ok(()),
            Ok(true) => return ExitCode::from(BEYOND),
            Err(error) => Err(error),
        },
        (None, Some(Command::Sweep(options))) => sweep(&options),
        (None, Some(Command::Overhead(options))) => overhead(&options),
        (None, Some(Command::Ways(options))) => ways(&options),
        (None, Some(Command::Transmit(options))) => transmit(&options),
        (None, Some(Command::Journeys(options))) => tell_journeys(&options),
        (None, Some(Command::Record(options))) => record::command(&options),
        (None, Some(Command::Gather(options))) => gather_parts(&options),
        (None, None) => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-paper: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_study(options: &RunOptions) -> Result<()> {
    let commands = commands(&options.machines);
    let environments = match (&commands, options.environments.as_slice()) {
        (None, []) => vec![Environment::XenPv, Environment::Native, Environment::XenPvh],
        (Some(_), []) if options.machines.bare.is_some() => vec![Environment::Native],
        (Some(_), []) => vec![Environment::XenPv],
        (_, chosen) => chosen.to_vec(),
    };
    if commands.is_some() && environments.len() > 1 {
        bail!("your machines are one environment at a time: --environments names several");
    }
    let before = Planned::read(&options.results)?.map(|study| study.seed);
    // Short enough to be typed, and for a double.
    let seed = options
        .seed
        .or(before)
        .unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let plan = Plan {
        results: options.results.clone(),
        layout: Layout::Study,
        environments,
        scenarios: options.scenarios.clone(),
        buffers: options.buffers.clone(),
        repetitions: options.repetitions,
        frames: options.frames,
        marks: options.marks,
        seed: Some(seed),
        most_apart: match commands {
            Some(_) => None,
            None => LabSource::most_apart(options.clock, 1_000),
        },
        // Hardware's help is emulated too, but not by every emulator.
        optional: match options.environments.as_slice() {
            [] => vec![Environment::XenPvh],
            _ => Vec::new(),
        },
    };
    ctrlc::set_handler(|| {
        eprintln!("\nxcap-paper: stopped; finished runs are kept, and the same command goes on");
        std::process::exit(130);
    })?;
    Planned::new(&plan, seed, std::env::args().skip(1)).write(&options.results)?;
    run_missing(&plan, || match commands {
        Some(commands) => Ok(Box::new(commands)),
        None => Ok(Box::new(LabSource::prepare(options.clock)?)),
    })
}

fn sweep(options: &SweepOptions) -> Result<()> {
    let plan = run::sweep::Plan {
        environments: options.environments.clone(),
        sizes: options.sizes.clone(),
        buffer: options.buffer,
        frames: options.frames,
        lasting: options.trial.lasting(),
        marks: options.marks,
    };
    let source = LabSource::prepare(Clock::Instructions)?;
    let swept = run::sweep::sweep(&source, &plan, |said| eprintln!("xcap-paper: {said}"))?;
    swept.keep(|swept| loads::write_sweep(&options.results, swept))
}

fn overhead(options: &OverheadOptions) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u32(..));
    let mut source = LabSource::prepare(Clock::Instructions)?;
    let rivals: Box<dyn Rivals> = match options.peers {
        true => Box::new(FromDebian::prepare(source.materials())),
        false => Box::new(Nobody),
    };
    source.carry(rivals.files());
    let plan = run::overhead::Plan {
        environments: options.environments.clone(),
        repetitions: options.repetitions,
        frames: options.frames,
        lasting: options.trial.lasting(),
        seed: seed.into(),
        knees: !options.no_knees,
        rivals: &*rivals,
    };
    let tell = |said: &str| eprintln!("xcap-paper: {said}");
    let found = run::overhead::overhead(&source, &plan, tell)?;
    found.keep(|found| loads::write_overhead(&options.results, found))
}

fn ways(options: &WaysOptions) -> Result<()> {
    let plan = run::ways::Plan {
        environments: options.environments.clone(),
        ways: options.ways.clone(),
        sizes: options.sizes.clone(),
        buffer_bytes: options.buffer,
        frames: options.frames,
    };
    let source = LabSource::prepare(Clock::Instructions)?;
    let tell = |said: &str| eprintln!("xcap-paper: {said}");
    let found = run::ways::ways(&source, &plan, tell)?;
    found.keep(|found| xcap_paper::ways::write(&options.results, found))
}

fn transmit(options: &TransmitOptions) -> Result<()> {
    let plan = run::sending::Plan {
        environments: options.environments.clone(),
        size: options.size,
        frames: options.frames,
    };
    let source = LabSource::prepare(Clock::Instructions)?;
    let tell = |said: &str| eprintln!("xcap-paper: {said}");
    let found = run::sending::sending(&source, &plan, tell)?;
    found.keep(|found| xcap_paper::sending::write(&options.results, found))
}

fn commands(options: &MachineOptions) -> Option<Commands> {
    let MachineOptions {
        sender,
        dom0,
        domu,
        bare,
        ..
    } = options;
    let machines = [
        (Role::Sender, sender, &options.sender_interface),
        (Role::DOM0, dom0, &options.dom0_interface),
        (Role::DOMU, domu, &options.domu_interface),
        (Role::BARE, bare, &options.bare_interface),
    ];
    let machines: Vec<Machine> = machines
        .into_iter()
        .filter_map(|(role, command, interface)| {
            let words = command.as_ref()?.split_whitespace();
            Some(Machine {
                role,
                words: words.map(str::to_owned).collect(),
                interface: interface.clone(),
            })
        })
        .collect();
    (!machines.is_empty()).then(|| Commands {
        machines,
        destination: options.destination.clone(),
    })
}

fn write_report(options: &ReportOptions) -> Result<()> {
    println!("{}", report::write(&options.results)?.display());
    Ok(())
}

/// Whether it failed.
fn compare(options: &CompareOptions) -> Result<bool> {
    let question = Question {
        margin: options.margin,
        fail_above: options.fail_above,
        strict: options.strict,
        each: options.each,
    };
    let (old, new) = (load::all(&options.old)?, load::all(&options.new)?);
    let comparison = compare::compare(&old, &new, &question)?;
    let text = match options.json {
        true => serde_json::to_string_pretty(&comparison)? + "\n",
        false => compare::text(&comparison),
    };
    xcap_output::print(&text)?;
    Ok(comparison.failed)
}

fn tell_journeys(options: &JourneysOptions) -> Result<()> {
    let runs = journeys::marked(&options.results)?;
    if let Some(path) = &options.trace {
        journeys::trace(&runs, path)?;
    }
    match (options.json, options.csv) {
        (true, _) => journeys::json(&runs),
        (_, true) => journeys::csv(&runs),
        _ if options.trace.is_some() => Ok(()),
        _ => journeys::text(&runs),
    }
}

fn gather_parts(options: &GatherOptions) -> Result<()> {
    for run in gather::gather(&options.parts, &options.results)? {
        println!("{run}");
    }
    Ok(())
}
