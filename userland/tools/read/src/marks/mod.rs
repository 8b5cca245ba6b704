// SPDX-License-Identifier: GPL-2.0

//! `xcap-read marks`: which frame was where and when, recorded or shown.

mod dump;
mod record;
mod unreadable;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use xcap_abi::mark::Stream;
use xcap_abi::paths::MARKS;
use xcap_output::print;

use crate::seconds::seconds;
use unreadable::unreadable;

/// Records or shows marks: which frame was at which stage, from when to when.
///
/// Marks are left after `echo marks on >/sys/kernel/debug/xcap/control`, of
/// frames that say their number (xcap-send --numbered), and of what several
/// frames share. Each is read once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Marks {
    /// Record into this file, until interrupted
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Stop recording after so many seconds
    #[arg(long, value_name = "SECONDS", requires = "output", value_parser = seconds)]
    seconds: Option<f64>,

    /// Show a recording, not what waits to be read
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    dump: Option<PathBuf>,

    /// Show one JSON object a line: the header, then the marks
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  xcap-read marks                             what waits to be read
  xcap-read marks --output m.bin --seconds 9  record
  xcap-read marks --dump m.bin                show a recording
  xcap-read marks --dump m.bin --json | jq -c 'select(.frame == 7)'";

pub fn run(marks: &Marks) -> Result<(), Box<dyn Error>> {
    if let Some(output) = &marks.output {
        return record::record(output, marks.seconds);
    }
    let (name, bytes) = match &marks.dump {
        Some(file) => (file.display().to_string(), fs::read(file)),
        None => (MARKS.to_owned(), record::waiting()),
    };
    let bytes = bytes.map_err(|error| unreadable(&name, &error))?;
    let stream = Stream::parse(&bytes).map_err(|fault| format!("'{name}': {fault}"))?;
    let text = if marks.json {
        dump::json(&stream)
    } else {
        dump::text(&stream)
    };
    print(&text)?;
    match stream.remainder() {
        0 => Ok(()),
        rest => Err(format!("'{name}' ends within a mark, of which it has {rest} bytes").into()),
    }
}
