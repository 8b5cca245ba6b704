// SPDX-License-Identifier: GPL-2.0

//! The functions of known length (userland/lab/targets), in the guest that has their module loaded.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;

const FOLDER: &str = "/sys/kernel/debug/xcap_targets";

/// The target whose reported mean stands in the tables.
pub const KNOWN: &str = "xcap_target_10";
pub const KNOWN_LENGTH: f64 = 10.0;

/// Calls `function` so often.
pub fn call(function: &str, count: u64) -> Result<()> {
    let path = format!("{FOLDER}/call");
    fs::write(&path, format!("{function} {count}"))
        .with_context(|| format!("cannot have '{function}' called through {path}"))
}

/// Cycles of the last [`call`], the loop around it included.
pub fn last_cycles() -> Result<u64> {
    let path = format!("{FOLDER}/call");
    let text = fs::read_to_string(&path)?;
    let cycles = text
        .split_whitespace()
        .nth(2)
        .and_then(|word| word.parse().ok());
    cycles.with_context(|| format!("{path} says '{}'", text.trim()))
}

/// All targets of a fixed length, and the length.
pub fn lengths() -> Result<BTreeMap<String, u64>> {
    let path = format!("{FOLDER}/functions");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(name, length)| Ok((name.to_owned(), length.parse()?)))
        .collect()
}
