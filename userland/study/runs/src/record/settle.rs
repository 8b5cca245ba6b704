// SPDX-License-Identifier: GPL-2.0

//! When the last frame has passed.

use std::time::{Duration, Instant};

use anyhow::{bail, Result};

use super::counters;

/// The counters have to stand still for so long before all frames are taken to have passed.
const QUIET: Duration = Duration::from_millis(500);

/// Looked at so often: seldom enough to leave the machine alone.
const EVERY: Duration = Duration::from_millis(50);

/// Nothing in a run takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until every interface's counters and every packet socket's queue stand still.
pub fn await_quiet() -> Result<()> {
    let begun = Instant::now();
    let mut seen = counters::fingerprint()?;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        if begun.elapsed() > PATIENCE {
            bail!(
                "frames still come after {} s: is something else on this network?",
                PATIENCE.as_secs()
            );
        }
        std::thread::sleep(EVERY);
        let now = counters::fingerprint()?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(())
}
