// SPDX-License-Identifier: GPL-2.0

//! What a tick of the clock is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a tick of the clock that times stages is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// An instruction that the machine executed, or the time of one in which it had nothing to execute.
    Instructions,
    /// A cycle of the TSC.
    #[default]
    Cycles,
}

impl Unit {
    /// Its word, in the plural.
    pub fn word(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Cycles => "cycles",
        }
    }
}
