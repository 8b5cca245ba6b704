// SPDX-License-Identifier: GPL-2.0

//! The files that are under version control.

use std::path::PathBuf;
use std::process::Command;

use xcap_house::crates::source_tree;

/// Below the top of the source tree; none where that is no repository.
pub fn files() -> Vec<PathBuf> {
    let git = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(source_tree())
        .output();
    let Ok(git) = git else { return Vec::new() };
    String::from_utf8_lossy(&git.stdout)
        .split_terminator('\0')
        .map(PathBuf::from)
        // Removed, and not yet committed.
        .filter(|file| source_tree().join(file).exists())
        .collect()
}

/// Those whose name ends in one of `extensions`.
pub fn with_extension(extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = files();
    files.retain(|file| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    });
    files
}
