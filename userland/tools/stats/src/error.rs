// SPDX-License-Identifier: GPL-2.0

//! What can be wrong with a `stats` file; each message says what to do next.

use std::io;

use xcap_abi::paths::DEBUGFS;

/// Text that isn't a whole and consistent `stats` file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Malformed {
    /// The line at fault, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: String,
}

impl Malformed {
    pub(crate) fn new(line: usize, fault: impl Into<String>) -> Self {
        Self {
            line,
            fault: fault.into(),
        }
    }
}

/// Why there is nothing to show. Each message is whole: none has a source that isn't in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("debugfs is not mounted at {DEBUGFS}: mount -t debugfs none {DEBUGFS}")]
    NoDebugfs,
    #[error("xcap isn't loaded ('{path}' is not there): insmod xcap.ko")]
    NotLoaded { path: String },
    #[error("no permission to read '{path}': only root may, run it with sudo")]
    NoPermission { path: String },
    #[error("the kernel is locked down (Secure Boot) and lets nobody read '{path}'")]
    LockedDown { path: String },
    #[error("cannot read '{path}': {cause}")]
    Unreadable { path: String, cause: io::Error },
    #[error("{path} {malformed}")]
    Malformed { path: String, malformed: Malformed },
    #[error("cannot subtract: {0}")]
    Incomparable(String),
}
