// SPDX-License-Identifier: GPL-2.0

//! The programs that send and capture.

use std::path::PathBuf;

/// A tool of ours: beside this program, or where the system looks for programs.
pub fn tool(name: &str) -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|me| Some(me.parent()?.join(name)));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| name.into())
}
