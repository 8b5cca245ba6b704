// SPDX-License-Identifier: GPL-2.0

//! Kernel modules that time one function: userland/bench/program/peers/modules.

use super::{output::moments, Armed, Reading};
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

struct Loaded {
    name: String,
}

/// Loads the module of this file.
pub fn insmod(file: &str, parameters: &[String]) -> Result<()> {
    let output = Command::new("insmod").arg(file).args(parameters).output();
    let output = output.context("cannot run insmod")?;
    if !output.status.success() {
        bail!(
            "insmod {file}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

pub fn rmmod(name: &str) -> Result<()> {
    let output = Command::new("rmmod")
        .arg(name)
        .output()
        .context("cannot run rmmod")?;
    if !output.status.success() {
        bail!(
            "rmmod {name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// What a loaded module takes.
pub fn module_kib(name: &str) -> Result<u64> {
    let modules = fs::read_to_string("/proc/modules")?;
    let line = modules
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    let size = line.and_then(|line| line.split(' ').nth(1)?.parse::<u64>().ok());
    Ok(size.with_context(|| format!("module {name} isn't loaded"))? / 1024)
}

pub fn arm(function: &str, file: &str) -> Result<Box<dyn Armed>> {
    let name = Path::new(file)
        .file_stem()
        .context("a module's file has a name")?;
    insmod(file, &[format!("symbol={function}")])?;
    Ok(Box::new(Loaded {
        name: name.to_string_lossy().into_owned(),
    }))
}

impl Armed for Loaded {
    fn memory_kib(&self) -> Result<u64> {
        module_kib(&self.name)
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
        if let Err(e) = rmmod(&self.name) {
            eprintln!("xcap-bench: {e:#}");
        }
    }
}
