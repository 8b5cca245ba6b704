// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

mod cli;

use std::process::ExitCode;

use anyhow::{bail, Result};
use clap::Parser;
use xcap_paper::report;
use xcap_study::layout::Layout;
use xcap_study::role::Role;
use xcap_study::run::lab::LabSource;
use xcap_study::run::reached::{Commands, Machine};
use xcap_study::run::{run_missing, Plan};
use xcap_study::run_id::Environment;
use xcap_study::{gather, record};

use cli::{Cli, Command, GatherOptions, MachineOptions, ReportOptions, RunOptions};

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => run_study(&options),
        Command::Report(options) => write_report(&options),
        Command::Record(options) => record::command(&options),
        Command::Gather(options) => gather_parts(&options),
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
    let plan = Plan {
        results: options.results.clone(),
        layout: Layout::Study,
        environments,
        scenarios: options.scenarios.clone(),
        buffers: options.buffers.clone(),
        repetitions: options.repetitions,
        frames: options.frames,
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
    run_missing(&plan, || match commands {
        Some(commands) => Ok(Box::new(commands)),
        None => Ok(Box::new(LabSource::prepare(options.clock)?)),
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

fn gather_parts(options: &GatherOptions) -> Result<()> {
    for run in gather::gather(&options.parts, &options.results)? {
        println!("{run}");
    }
    Ok(())
}
