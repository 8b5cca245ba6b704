// SPDX-License-Identifier: GPL-2.0

//! A plugin of QEMU's emulator.

use crate::provide::root::Sandbox;
use anyhow::{Context, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Plugin {
    pub library: PathBuf,
    /// The file that it writes.
    pub output: PathBuf,
}

impl Plugin {
    /// What it needs of the host's files.
    pub fn bound(&self, sandbox: Sandbox) -> Result<Sandbox> {
        File::create(&self.output)
            .with_context(|| format!("cannot write '{}'", self.output.display()))?;
        Ok(sandbox.bind_ro(&self.library).bind(&self.output))
    }

    /// The value of QEMU's option `-plugin`.
    pub fn option(&self) -> String {
        // A comma ends a word there, and two are one.
        let word = |path: &Path| path.display().to_string().replace(',', ",,");
        format!("{},out={}", word(&self.library), word(&self.output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_path_ends_no_word() {
        let plugin = Plugin {
            library: "/a,b/lib.so".into(),
            output: "/c".into(),
        };
        assert_eq!(plugin.option(), "/a,,b/lib.so,out=/c");
    }
}
