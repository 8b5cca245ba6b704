// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

mod cli;
mod schemas;

use std::process::ExitCode;

use anyhow::{bail, Result};
use clap::Parser;
use xcap_paper::{journeys, report};
use xcap_study::layout::Layout;
use xcap_study::planned::Planned;
use xcap_study::role::Role;
use xcap_study::run::lab::LabSource;
use xcap_study::run::reached::{Commands, Machine};
use xcap_study::run::{run_missing, Plan};
use xcap_study::run_id::Environment;
use xcap_study::{gather, record};

use cli::{
    Cli, Command, GatherOptions, JourneysOptions, MachineOptions, ReportOptions, RunOptions,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match (cli.schema, cli.command) {
        (Some(schema), _) => schemas::print(schema),
        (None, Some(Command::Run(options))) => run_study(&options),
        (None, Some(Command::Report(options))) => write_report(&options),
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
        None => Ok(Box::new(LabSource::prepare()?)),
    })
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
