// SPDX-License-Identifier: GPL-2.0

//! Kernel modules of the machine that this runs on.

use anyhow::{Context, Result};
use nix::kmod::{delete_module, finit_module, DeleteModuleFlags, ModuleInitFlags};
use std::ffi::CString;
use std::fs::File;

/// Loads the module in `file`.
pub fn load(file: &str, parameters: &[String]) -> Result<()> {
    let module = File::open(file).with_context(|| format!("cannot read '{file}'"))?;
    let parameters = CString::new(parameters.join(" "))?;
    finit_module(module, &parameters, ModuleInitFlags::empty())
        .with_context(|| format!("cannot load '{file}'; the kernel's log may say why"))
}

pub fn unload(name: &str) -> Result<()> {
    let flags = DeleteModuleFlags::O_NONBLOCK;
    delete_module(&CString::new(name)?, flags)
        .with_context(|| format!("cannot unload module {name}"))
}

/// Memory that a loaded module takes, in KiB.
pub fn size_kib(name: &str) -> Result<u64> {
    let modules = procfs::modules().context("cannot read /proc/modules")?;
    let module = modules.get(name);
    let module = module.with_context(|| format!("module {name} isn't loaded"))?;
    Ok(u64::from(module.size) / 1024)
}
