// SPDX-License-Identifier: GPL-2.0

//! What a reading of `marks` has to be, whoever turns them on and off meanwhile.

use crate::guest::files::errno;
use anyhow::{ensure, Context, Result};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::fs;
use xcap_abi::mark::{Stream, NO_PLACE};
use xcap_abi::paths::MARKS;

/// Reads all that waits there; nothing, if xcap or marks aren't there or somebody else reads them.
pub fn read() -> Result<()> {
    match fs::read(MARKS) {
        Ok(bytes) => check(&bytes),
        Err(e) if is_away(errno(&e)) => Ok(()),
        Err(e) => Err(e).with_context(|| format!("cannot read {MARKS}")),
    }
}

fn is_away(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENOENT | Errno::ENXIO | Errno::EINTR | Errno::ENODATA | Errno::EBUSY
    )
}

/// Whole marks of places that there are, none of which ends before it begins; losses don't fall.
fn check(bytes: &[u8]) -> Result<()> {
    let stream = Stream::parse(bytes).context(MARKS)?;
    let rest = stream.remainder();
    ensure!(rest == 0, "{MARKS} ends with {rest} bytes of a mark");
    let mut lost = BTreeMap::new();
    for mark in stream.marks().filter(|mark| mark.time().is_none()) {
        let before = lost.insert(mark.cpu, mark.lost);
        ensure!(
            before.is_none_or(|before| before <= mark.lost),
            "losses of marks fall: {mark:?}"
        );
        if mark.place == NO_PLACE {
            continue;
        }
        let place = stream.place(mark.place);
        let place = place.with_context(|| format!("a place without a name: {mark:?}"))?;
        ensure!(
            u32::from(mark.cpu) < stream.header.cpus && mark.exit >= mark.entry,
            "a mark of {place} that can't be: {mark:?}"
        );
    }
    Ok(())
}
