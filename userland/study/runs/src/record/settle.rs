// SPDX-License-Identifier: GPL-2.0

//! When the last frame has passed.

use std::time::{Duration, Instant};

use anyhow::{bail, Result};

use super::counters;
use crate::machine::driver;

/// The counters have to stand still for so long before all frames are taken to have passed.
const QUIET: Duration = Duration::from_millis(500);

/// … where the driver reads the card's counters every second or two, and `/sys` shows what it read last.
const SLOW_QUIET: Duration = Duration::from_millis(2500);

/// Those drivers, of cards that are common in servers.
const SLOW: [&str; 16] = [
    "atlantic",
    "be2net",
    "bnx2x",
    "bnxt_en",
    "hns3",
    "i40e",
    "iavf",
    "ice",
    "igbvf",
    "ixgbe",
    "ixgbevf",
    "mlx4_en",
    "mlx5_core",
    "qede",
    "sfc",
    "tg3",
];

/// Looked at so often: seldom enough to leave the machine alone.
const EVERY: Duration = Duration::from_millis(50);

/// Nothing in a run takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long counters of interfaces of these drivers stand still when no frame moves any more.
fn quiet(mut drivers: impl Iterator<Item = String>) -> Duration {
    match drivers.any(|driver| SLOW.contains(&driver.as_str())) {
        true => SLOW_QUIET,
        false => QUIET,
    }
}

/// Waits until every interface's counters and every packet socket's queue stand still.
pub fn await_quiet() -> Result<()> {
    let quiet = quiet(counters::interfaces()?.filter_map(|name| driver(&name)));
    let begun = Instant::now();
    let mut seen = counters::fingerprint()?;
    let mut since = Instant::now();
    while since.elapsed() < quiet {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_counters_are_waited_for_longer() {
        let drivers = |names: &[&str]| quiet(names.iter().map(|name| name.to_string()));
        assert_eq!(drivers(&["e1000e", "vif"]), QUIET);
        assert_eq!(drivers(&["e1000e", "mlx5_core"]), SLOW_QUIET);
        assert!(SLOW.is_sorted());
    }
}
