// SPDX-License-Identifier: GPL-2.0

//! Ports and consoles as plain byte streams.

use anyhow::{Context, Result};
use nix::sys::termios::{cfmakeraw, tcgetattr, tcsetattr, SetArg};
use std::fs::{File, OpenOptions};

/// Opens `path` with no translation, echo or line editing.
pub fn open_raw(path: &str) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open {path}"))?;
    if let Ok(mut mode) = tcgetattr(&file) {
        cfmakeraw(&mut mode);
        tcsetattr(&file, SetArg::TCSANOW, &mode)?;
    }
    Ok(file)
}
