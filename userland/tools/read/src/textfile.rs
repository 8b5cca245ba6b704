// SPDX-License-Identifier: GPL-2.0

//! A file of metrics that another program reads at any time.

use std::fs;
use std::path::Path;

use xcap_read::metrics::{text, Steps, Syntax};
use xcap_stats::Stats;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Puts `reading` in `file`. Where there is none, that is said there too, lest old figures stay.
pub fn write(file: &Path, reading: Outcome<Stats>, steps: Steps) -> Outcome<()> {
    let metrics = text(reading.as_ref().ok(), Syntax::Prometheus, steps);
    // The collector takes no other than `*.prom`.
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    fs::write(&unfinished, metrics)
        .and_then(|()| fs::rename(&unfinished, file))
        .map_err(|error| {
            // Nothing more can be done about it.
            let _ = fs::remove_file(&unfinished);
            format!("cannot write '{}': {error}", file.display())
        })?;
    reading.map(drop)
}
