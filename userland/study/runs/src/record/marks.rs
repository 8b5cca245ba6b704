// SPDX-License-Identifier: GPL-2.0

//! Has the module leave marks, and takes them.

use std::path::Path;

use anyhow::{Context, Result};
use xcap_abi::paths::MARKS;

use super::xcap::control;

/// A mark at each place of the path, and room for those of batches and interrupts.
const MARKS_A_FRAME: u64 = 16;

/// Marks that a ring can hold.
const ROOM: std::ops::RangeInclusive<u64> = 1 << 12..=1 << 20;

/// Marks are left until this is dropped.
pub struct Marks(());

impl Marks {
    /// From now on, with room for those of so many frames.
    pub fn on(frames: u64) -> Result<Self> {
        let room = frames.saturating_mul(MARKS_A_FRAME);
        let room = room.clamp(*ROOM.start(), *ROOM.end()).next_power_of_two();
        control(&format!("marks on {room}"))?;
        Ok(Self(()))
    }

    /// Those that were left.
    pub fn take(&self) -> Result<Vec<u8>> {
        let path = Path::new(MARKS);
        std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // A module that is gone leaves none.
        let _ = control("marks off");
    }
}
