// SPDX-License-Identifier: GPL-2.0

//! One reading, or why there is none.

use std::path::Path;

use xcap_abi::paths::{DIRECTORY, PER_CPU};
use xcap_doctor::{absence, Host};
use xcap_stats::{load, load_per_cpu, Error, PerCpu, Stats};

/// Reads a `stats` file. Where that is xcap's own and isn't there, the error says what this machine lacks.
pub fn read(path: &Path) -> Result<Stats, Box<dyn std::error::Error>> {
    load(path).map_err(|error| explained(path, error))
}

/// The same of a `per_cpu` file.
pub fn read_per_cpu(path: &Path) -> Result<PerCpu, Box<dyn std::error::Error>> {
    load_per_cpu(path).map_err(|error| explained(path, error))
}

fn explained(path: &Path, error: Error) -> Box<dyn std::error::Error> {
    let is_absent = matches!(
        error,
        Error::NoDebugfs
            | Error::NotLoaded { .. }
            | Error::NoPermission { .. }
            | Error::LockedDown { .. }
    );
    if !(is_absent && path.starts_with(DIRECTORY)) {
        return error.into();
    }
    match absence(&Host::this()) {
        Some(absence) => absence.into(),
        None if path == Path::new(PER_CPU) => {
            "the xcap that is loaded is older than this xcap-read, and has no per_cpu: load the one that came with it"
                .into()
        }
        None => error.into(),
    }
}
