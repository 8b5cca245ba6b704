// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

mod cli;

use std::io::{stdin, Read};
use std::process::ExitCode;

use anyhow::{bail, Result};
use clap::Parser;
use xcap_paper::report;
use xcap_read::output::print;
use xcap_study::gather;
use xcap_study::part::Task;
use xcap_study::record::record;
use xcap_study::run::{run, Commands, Study};
use xcap_study::run_id::Environment;

use cli::{Cli, Command, GatherOptions, MachineOptions, RecordOptions, ReportOptions, RunOptions};

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => run_study(&options),
        Command::Report(options) => write_report(&options),
        Command::Record(options) => record_part(&options),
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
        (Some(commands), []) if commands.roles() == ["bare"] => vec![Environment::Native],
        (Some(_), []) => vec![Environment::XenPv],
        (_, chosen) => chosen.to_vec(),
    };
    if commands.is_some() && environments.len() > 1 {
        bail!("your machines are one environment at a time: --environments names several");
    }
    let study = Study {
        results: options.results.clone(),
        environments,
        scenarios: options.scenarios.clone(),
        buffers: options.buffers.iter().map(|choice| choice.0).collect(),
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
    run(&study, commands.as_ref())
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
        ("sender", sender, &options.sender_interface),
        ("dom0", dom0, &options.dom0_interface),
        ("domU", domu, &options.domu_interface),
        ("bare", bare, &options.bare_interface),
    ];
    let machines: Vec<_> = machines
        .into_iter()
        .filter_map(|(role, command, interface)| {
            let words = command
                .as_ref()?
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            Some((role, words, interface.clone()))
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

fn record_part(options: &RecordOptions) -> Result<()> {
    let task = Task {
        scenario: options.scenario,
        buffer: options.buffer.0,
        repetition: options.repetition,
        frames: options.frames,
    };
    let sends = matches!(options.role, cli::RoleName::Sender);
    let part = record(
        options.role.into(),
        &options.interface,
        task,
        sends.then_some(options.destination.as_str()),
        || eprintln!("begun: recording until the input ends (Ctrl-D)"),
        || Ok(stdin().read_to_end(&mut Vec::new()).map(drop)?),
    )?;
    match &options.out {
        Some(folder) => println!("{}", gather::keep(folder, &part)?.display()),
        None => print(&(serde_json::to_string(&part)? + "\n"))?,
    }
    Ok(())
}

fn gather_parts(options: &GatherOptions) -> Result<()> {
    for run in gather::gather(&options.parts, &options.results)? {
        println!("{run}");
    }
    Ok(())
}
