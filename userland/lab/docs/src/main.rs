// SPDX-License-Identifier: GPL-2.0

//! Makes the documentation as a web page.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Makes a web page of the documentation, and checks its links
#[derive(Parser)]
#[command(version, max_term_width = 80)]
struct Cli {
    /// Where to
    folder: PathBuf,
}

fn main() -> ExitCode {
    let folder = Cli::parse().folder;
    match xcap_docs::make(&folder) {
        Ok(()) => {
            println!("{}", folder.join("index.html").display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xcap-docs: {error:#}");
            ExitCode::FAILURE
        }
    }
}
