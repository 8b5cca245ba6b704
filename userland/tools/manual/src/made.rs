// SPDX-License-Identifier: GPL-2.0

//! What is made.

use std::path::PathBuf;

/// A file below `share`, as `usr/share` is laid out.
pub struct Made {
    pub path: PathBuf,
    pub text: Vec<u8>,
}
