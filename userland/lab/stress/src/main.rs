// SPDX-License-Identifier: GPL-2.0

//! `xcap-stress`: xcap under everything at once, on kernels that watch themselves.

use clap::Parser;
use std::process::ExitCode;
use xcap_stress::{run, Cli};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("xcap-stress: {e:#}");
            ExitCode::FAILURE
        }
    }
}
