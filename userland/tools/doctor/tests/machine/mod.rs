// SPDX-License-Identifier: GPL-2.0

//! A machine whose files are in a folder.

use std::fs;

use tempfile::TempDir;
use xcap_doctor::Host;

pub const RELEASE: &str = "7.3.4+deb13-amd64";

/// A machine that boots this kernel, and has nothing of xcap.
pub struct Machine(TempDir);

impl Machine {
    pub fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.with("proc/sys/kernel/osrelease", format!("{RELEASE}\n"))
    }

    pub fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn host(&self) -> Host {
        Host::at(self.0.path())
    }
}
