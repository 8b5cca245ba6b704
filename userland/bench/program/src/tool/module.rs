// SPDX-License-Identifier: GPL-2.0

//! Kernel modules that time one function: userland/bench/program/peers/modules.

use super::armed::{Armed, Reading};
use super::output::moments;
use crate::kernel_module;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

struct Loaded {
    name: String,
}

pub fn arm(function: &str, file: &str) -> Result<Box<dyn Armed>> {
    let name = Path::new(file)
        .file_stem()
        .context("a module's file has a name")?;
    kernel_module::load(file, &[format!("symbol={function}")])?;
    Ok(Box::new(Loaded {
        name: name.to_string_lossy().into_owned(),
    }))
}

impl Armed for Loaded {
    fn memory_kib(&self) -> Result<u64> {
        kernel_module::size_kib(&self.name)
    }

    fn finish(self: Box<Self>) -> Result<Reading> {
        moments(&fs::read_to_string(format!(
            "/sys/module/{}/parameters/stats",
            self.name
        ))?)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if let Err(e) = kernel_module::unload(&self.name) {
            eprintln!("xcap-bench: {e:#}");
        }
    }
}
