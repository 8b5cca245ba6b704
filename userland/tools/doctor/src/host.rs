// SPDX-License-Identifier: GPL-2.0

//! A machine's files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The machine whose root is this folder.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The machine that we run on.
    pub fn this() -> Self {
        Self::at("/")
    }

    /// The machine whose files are below `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where its file is.
    pub fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        let file = file.as_ref();
        self.root.join(file.strip_prefix("/").unwrap_or(file))
    }

    /// What a file holds, less the last end of a line.
    pub fn try_text(&self, file: impl AsRef<Path>) -> io::Result<String> {
        let bytes = fs::read(self.path(file))?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end_matches('\n').to_owned())
    }

    /// The same, if it can be read.
    pub fn text(&self, file: impl AsRef<Path>) -> Option<String> {
        self.try_text(file).ok()
    }

    pub fn exists(&self, file: impl AsRef<Path>) -> bool {
        self.path(file).exists()
    }

    /// The names in a folder, in order; none where there is no such folder.
    pub fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// The running kernel's release.
    pub fn release(&self) -> String {
        self.text("/proc/sys/kernel/osrelease")
            .unwrap_or_else(|| "?".into())
    }
}
