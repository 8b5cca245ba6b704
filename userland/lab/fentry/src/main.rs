// SPDX-License-Identifier: GPL-2.0

//! Holds a function with a BPF fentry program until its input ends.
//!
//! For tests: xcap's `direct` backend and BPF want the same place of a function, and only one can have it.

mod holder;
mod image;
mod stop;

use anyhow::Result;
use clap::Parser;
use holder::Holder;
use std::process::ExitCode;
use stop::Signals;

/// Holds a function with a BPF fentry program that does nothing.
///
/// Prints `ready` once it has the function, and how often the program ran when
/// its input ends or SIGTERM comes.
#[derive(Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES, verbatim_doc_comment)]
struct Cli {
    /// Function of the kernel itself, not of a module
    function: String,
}

const EXAMPLES: &str = "\
Examples:
  xcap-fentry packet_rcv               until Control-D
  sleep 10 | xcap-fentry packet_rcv    for ten seconds

Exit status: 0 it had the function, 1 error, 2 wrong usage.";

fn main() -> ExitCode {
    match hold(&Cli::parse().function) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xcap-fentry: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn hold(function: &str) -> Result<()> {
    let signals = Signals::take()?;
    let mut holder = Holder::attach(function)?;
    println!("ready");
    signals.or_end_of_input()?;
    println!("{}", holder.runs()?);
    Ok(())
}
