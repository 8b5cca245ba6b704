// SPDX-License-Identifier: GPL-2.0

//! The file that a plugin writes: a line of JSON for each window between markers.

use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

pub struct Output(Mutex<File>);

impl Output {
    pub(crate) fn create(path: &str) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| format!("cannot write '{path}': {e}"))?;
        Ok(Self(Mutex::new(file)))
    }

    /// That it can't be written is said on stderr: QEMU has nobody to tell.
    pub fn write(&self, window: &impl Serialize) {
        if let Err(e) = self.try_write(window) {
            eprintln!("xcap: a plugin of QEMU's cannot write a window: {e}");
        }
    }

    fn try_write(&self, window: &impl Serialize) -> std::io::Result<()> {
        let text = serde_json::to_string(window)? + "\n";
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())
    }
}
