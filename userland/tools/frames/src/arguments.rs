// SPDX-License-Identifier: GPL-2.0

//! Command lines that may ask for a schema.

use clap::{CommandFactory, FromArgMatches};
use schemars::{schema_for, JsonSchema};

/// The command line; with `--schema`, the schema of `Report` is printed and the program ends.
pub fn arguments<Cli: CommandFactory + FromArgMatches, Report: JsonSchema>() -> Cli {
    let matches = Cli::command().get_matches();
    if matches.get_flag("schema") {
        println!("{:#}", schema_for!(Report).to_value());
        std::process::exit(0);
    }
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
