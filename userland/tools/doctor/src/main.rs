// SPDX-License-Identifier: GPL-2.0

//! Says whether this machine will give good figures.

use std::process::ExitCode;

use clap::Parser;
use xcap_doctor::cli::Cli;
use xcap_doctor::{show, Examination, Host, Verdict};
use xcap_output::{print, width};

/// Figures can be had, but not be trusted.
const DOUBTFUL: u8 = 3;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(Verdict::Good | Verdict::Note) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => DOUBTFUL.into(),
        Ok(Verdict::Fatal) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xcap-doctor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<Verdict, Box<dyn std::error::Error>> {
    let examination = Examination::of(&Host::this());
    print(&if cli.json {
        serde_json::to_string_pretty(&examination)? + "\n"
    } else {
        show::text(&examination, width())
    })?;
    Ok(examination.verdict)
}
