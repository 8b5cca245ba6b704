// SPDX-License-Identifier: GPL-2.0

//! What xcap has been told before it is hit.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// Nothing: as it is loaded.
    Loaded,
    /// That marks be left, and that they no longer be.
    MarksOffAgain,
    /// To count this process alone, which makes all calls.
    InScope,
    /// To count a process that makes none of them.
    OutOfScope,
}

impl Setting {
    /// What follows the backend in the name of a row.
    pub fn suffix(self) -> &'static str {
        match self {
            Setting::Loaded => "",
            Setting::MarksOffAgain => ", marks off again",
            Setting::InScope => ", in scope",
            Setting::OutOfScope => ", out of scope",
        }
    }

    /// The process whose calls count, if not everybody's.
    pub fn process(self) -> Option<u32> {
        match self {
            Setting::Loaded | Setting::MarksOffAgain => None,
            Setting::InScope => Some(std::process::id()),
            Setting::OutOfScope => Some(std::os::unix::process::parent_id()),
        }
    }
}
