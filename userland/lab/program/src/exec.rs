// SPDX-License-Identifier: GPL-2.0

//! `setup`, `module` and `exec`.

use anyhow::{bail, Result};
use std::io::Write;
use std::process::ExitCode;
use xcap_lab::cli::{ExecOptions, LabOptions, ModuleOptions};
use xcap_machines::build::module::{build, check_format, Lints};
use xcap_machines::cache::Cache;
use xcap_machines::materials::{kernel, roots, source_tree};
use xcap_machines::{Lab, Materials, Output, Place};

pub fn setup() -> Result<ExitCode> {
    let cache = Cache::open()?;
    let (kernel, machine) = roots(&cache)?;
    println!("kernel {}", kernel.release);
    println!("build root {}", kernel.root.path().display());
    println!("machine root {}", machine.path().display());
    Ok(ExitCode::SUCCESS)
}

pub fn module(options: &ModuleOptions) -> Result<ExitCode> {
    let cache = Cache::open()?;
    let kernel = kernel(&cache)?;
    let source = source_tree()?;
    if options.format {
        check_format(&kernel, &source)?;
        return Ok(ExitCode::SUCCESS);
    }
    let lints = if options.clippy {
        Lints::Clippy
    } else {
        Lints::Compiler
    };
    println!("{}", build(&cache, &kernel, &source, lints)?.display());
    Ok(ExitCode::SUCCESS)
}

pub fn materials(options: &LabOptions) -> Result<Materials> {
    Materials::prepare(options.module.as_deref())
}

pub fn exec(options: &ExecOptions) -> Result<ExitCode> {
    let materials = materials(&options.lab)?;
    let config = options.lab.config(options.place);
    if options.deterministic {
        if options.place != Place::Bare {
            bail!("only the bare machine can be deterministic");
        }
        let output = Lab::run_deterministic(&materials, &config, &options.command)?;
        std::io::stdout().write_all(&output.stdout)?;
        std::io::stderr().write_all(&output.stderr)?;
        return Ok(exit_code(&output));
    }
    let mut lab = Lab::boot(&materials, &config)?;
    match run(&lab, options) {
        Ok(output) => Ok(exit_code(&output)),
        Err(e) => Err(lab.explain(e)),
    }
}

fn run(lab: &Lab, options: &ExecOptions) -> Result<Output> {
    let running = lab.guest(options.place).spawn(&options.command)?;
    if options.interactive {
        let mut input = running.input();
        std::thread::spawn(move || {
            let copied = std::io::copy(&mut std::io::stdin(), &mut input);
            copied.map(|_| input.close())
        });
    } else {
        running.close_stdin()?;
    }
    running.forward(&mut std::io::stdout(), &mut std::io::stderr())
}

pub fn exit_code(output: &Output) -> ExitCode {
    if let xcap_guest::protocol::Status::NotStarted(why) = &output.status {
        eprintln!("xcap-lab: {why}");
    }
    ExitCode::from(u8::try_from(output.exit_code()).unwrap_or(255))
}
