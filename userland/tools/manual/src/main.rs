// SPDX-License-Identifier: GPL-2.0

//! Writes man pages or completions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Writes xcap's man pages, or what shells complete
#[derive(Parser)]
struct Cli {
    what: What,
    /// Folder that is to be like /usr/share
    share: PathBuf,
    /// Leave out a program that isn't installed
    #[arg(long, value_name = "PROGRAM")]
    without: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Man,
    Completions,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-manual: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let mut made = match cli.what {
        What::Man => xcap_manual::man()?,
        What::Completions => xcap_manual::completions(),
    };
    made.retain(|made| !cli.without.iter().any(|program| made.is_of(program)));
    xcap_manual::write(&made, &cli.share)
}
