// SPDX-License-Identifier: GPL-2.0

//! What is made.

use std::path::PathBuf;

/// A file below `share`, as `usr/share` is laid out.
pub struct Made {
    pub path: PathBuf,
    pub text: Vec<u8>,
}

impl Made {
    /// Whether it is this program's.
    pub fn is_of(&self, program: &str) -> bool {
        let name = self.path.file_stem().unwrap_or_default();
        name.to_string_lossy().trim_start_matches('_') == program
    }
}
