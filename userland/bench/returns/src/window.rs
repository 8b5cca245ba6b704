// SPDX-License-Identifier: GPL-2.0

//! What was counted between the markers.

use serde::{Deserialize, Serialize};

/// Sizes of the return-address stacks that are modelled: of many of Intel's processors, and of AMD's since Zen.
pub const ENTRIES: [usize; 2] = [16, 32];

/// The kernel's returns on one CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub returns: u64,
    /// Of them, with a stack of as many entries as [`ENTRIES`] says.
    pub mispredicted: [u64; ENTRIES.len()],
}
