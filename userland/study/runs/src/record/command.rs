// SPDX-License-Identifier: GPL-2.0

//! `record` as a command: begins, waits for the end of its input, and hands its part over.

use std::io::{stdin, Read};

use anyhow::Result;
use xcap_output::print;

use super::options::Options;
use super::recorder::record;
use crate::gather;
use crate::marked::MarkedPart;

/// How the line on stderr begins that says that the first frame may come.
pub const BEGUN: &str = "begun";

pub fn command(options: &Options) -> Result<()> {
    let (part, marked) = record(
        options.role,
        &options.interface,
        options.task(),
        options.marks,
        &options.destination,
        || eprintln!("{BEGUN}: recording until the input ends (Ctrl-D)"),
        || Ok(stdin().read_to_end(&mut Vec::new()).map(drop)?),
    )?;
    let text = match (&options.out, marked) {
        (Some(folder), _) => gather::keep(folder, &part)?.display().to_string(),
        (None, Some(marked)) => {
            serde_json::to_string(&MarkedPart::of(part, &marked.marks, marked.looks))?
        }
        (None, None) => serde_json::to_string(&part)?,
    };
    print(&(text + "\n"))?;
    Ok(())
}
