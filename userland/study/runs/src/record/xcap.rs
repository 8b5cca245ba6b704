// SPDX-License-Identifier: GPL-2.0

//! The module's files.

use std::path::Path;

use anyhow::{Context, Result};
use xcap_abi::paths::{CONTROL, STATS};

/// The text of `stats`; what keeps it from being read is told as `xcap-read` tells it.
pub fn stats() -> Result<String> {
    let path = Path::new(STATS);
    xcap_stats::load(path)?;
    std::fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))
}

pub fn control(command: &str) -> Result<()> {
    std::fs::write(CONTROL, command).with_context(|| format!("'{command}' > {CONTROL}"))
}
