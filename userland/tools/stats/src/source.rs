// SPDX-License-Identifier: GPL-2.0

//! Where the text comes from, and why it may not.

use std::io::{self, Read};
use std::path::Path;

use nix::sys::statfs::{statfs, DEBUGFS_MAGIC};
use nix::unistd::geteuid;
use xcap_abi::paths::DEBUGFS;

use crate::error::{Error, Malformed};
use crate::parse::{parse, parse_per_cpu};
use crate::per_cpu::PerCpu;
use crate::stats::Stats;

/// Reads, parses and checks a `stats` file; `-` is standard input.
pub fn load(path: &Path) -> Result<Stats, Error> {
    load_as(path, parse)
}

/// The same of a `per_cpu` file.
pub fn load_per_cpu(path: &Path) -> Result<PerCpu, Error> {
    load_as(path, parse_per_cpu)
}

fn load_as<T>(path: &Path, parse: impl Fn(&str) -> Result<T, Malformed>) -> Result<T, Error> {
    let name = match path.to_str() {
        Some("-") => "standard input".into(),
        _ => path.display().to_string(),
    };
    let bytes = read(path).map_err(|cause| refusal(path, cause))?;
    let malformed = |malformed| Error::Malformed {
        path: name.clone(),
        malformed,
    };
    let text = std::str::from_utf8(&bytes).map_err(|fault| {
        let before = &bytes[..fault.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        malformed(Malformed {
            line,
            fault: "not text: this is no xcap stats file".into(),
        })
    })?;
    parse(text).map_err(malformed)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        Ok(bytes)
    } else {
        std::fs::read(path)
    }
}

fn refusal(path: &Path, cause: io::Error) -> Error {
    let in_debugfs = path.starts_with(DEBUGFS);
    let path = path.display().to_string();
    match cause.kind() {
        io::ErrorKind::PermissionDenied if in_debugfs && geteuid().is_root() => {
            Error::LockedDown { path }
        }
        io::ErrorKind::PermissionDenied => Error::NoPermission { path },
        io::ErrorKind::NotFound if in_debugfs && !debugfs_is_mounted() => Error::NoDebugfs,
        io::ErrorKind::NotFound if in_debugfs => Error::NotLoaded { path },
        _ => Error::Unreadable { path, cause },
    }
}

fn debugfs_is_mounted() -> bool {
    statfs(DEBUGFS).is_ok_and(|found| found.filesystem_type() == DEBUGFS_MAGIC)
}
