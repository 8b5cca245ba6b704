// SPDX-License-Identifier: GPL-2.0

//! What the capturing socket holds, as the kernel counts it.

use serde::{Deserialize, Serialize};

/// What the capturing socket held at some tick of its domain between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub after: u64,
    pub before: u64,
    /// As the kernel counts them: with what a frame's buffers take.
    pub bytes: u64,
}
