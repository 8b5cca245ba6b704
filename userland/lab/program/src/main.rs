// SPDX-License-Identifier: GPL-2.0

//! `xcap-lab`: makes the lab and runs things in it.

mod demo;
mod exec;
mod journeys;
mod package;
mod shell;
mod tables;

use clap::Parser;
use std::process::ExitCode;
use xcap_lab::cli::{Cli, Command};
use xcap_study::record;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("xcap-lab: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Setup => exec::setup(),
        Command::Module(options) => exec::module(&options),
        Command::Deb(options) => package::deb(&options),
        Command::Repo(options) => package::repo(&options),
        Command::Exec(options) => exec::exec(&options),
        Command::Demo(options) => demo::demo(&options),
        Command::Record(options) => record::command(&options).map(|()| ExitCode::SUCCESS),
        Command::Shell(options) => shell::shell(&options),
    }
}
