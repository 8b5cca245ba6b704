// SPDX-License-Identifier: GPL-2.0

//! A machine whose init is systemd, and where its packages come from.

use anyhow::{bail, ensure, Result};
use xcap_machines::package::repository::KEYRING;
use xcap_machines::Guest;

/// The line for apt.
pub fn source(suite: &str) -> String {
    format!("deb [signed-by=/mnt/{KEYRING}] file:/mnt {suite} main")
}

/// This kernel runs, and systemd is there, and well.
pub fn started(guest: &Guest, release: &str) -> Result<()> {
    let running = guest.sh("uname -r; cat /proc/1/comm")?;
    ensure!(
        running == format!("{release}\nsystemd\n"),
        "the machine runs {running}"
    );
    is_well(guest)
}

/// All services that it should have started are.
pub fn is_well(guest: &Guest) -> Result<()> {
    let state = guest.sh("systemctl is-system-running --wait || true")?;
    if state.trim() != "running" {
        let failed = guest
            .sh("systemctl --failed --no-pager --full; journalctl -b -p warning --no-pager")?;
        bail!("the system is {state}:\n{failed}");
    }
    Ok(())
}
