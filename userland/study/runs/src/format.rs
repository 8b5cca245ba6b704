// SPDX-License-Identifier: GPL-2.0

//! Reading the JSON files of a run: each says of which version it is.

use std::fs;
use std::path::Path;

use anyhow::{anyhow, bail, Context, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Version of parts, of frames.json and of environment.json.
///
/// 2: parts hold all that xcap-send and xcap-recv print; a run's folder holds the report of each
/// domain; a demo's folder is one as well.
pub const FORMAT: u32 = 2;

/// Reads one; `what` it should be, for who reads the error.
pub fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let value: Value = json(path, what)?;
    match value["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => bail!(
            "'{}' is of version {format}, and this xcap knows {FORMAT}: run it again",
            path.display()
        ),
        None if value["nic_rx"].is_u64() => bail!(
            "'{}' is of xcap's earlier demo format, without a version: run it again (xcap-lab demo)",
            path.display()
        ),
        None => bail!("'{}' is no {what}: it names no version", path.display()),
    }
    serde_json::from_value(value)
        .map_err(|fault| anyhow!("'{}' is no {what}: {fault}", path.display()))
}

/// Reads one that has no version of the study's.
pub fn json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let bytes = fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|fault| match fault.is_eof() {
        true => anyhow!("'{}' is cut short: {fault}", path.display()),
        false => anyhow!("'{}' is no {what}: {fault}", path.display()),
    })
}
