// SPDX-License-Identifier: GPL-2.0

//! Modules as Debian's own are: without debug information, signed.

use crate::package::keys::Keys;
use crate::provide::kernel::Kernel;
use crate::run;
use anyhow::{Context, Result};
use std::path::Path;

/// Signs the module `ko` for `kernel`.
pub fn sign(keys: &Keys, kernel: &Kernel, ko: &Path) -> Result<()> {
    let config = kernel.config()?;
    let hash = config
        .lines()
        .find_map(|line| line.strip_prefix("CONFIG_MODULE_SIG_HASH="))
        .context("this kernel knows of no signatures")?
        .trim_matches('"');
    let folder = ko.parent().context("it is in a folder")?;
    let sandbox = || keys.in_sandbox(kernel.sandbox().bind(folder));
    run::output(sandbox().command("strip").arg("--strip-debug").arg(ko))?;
    let program = kernel.headers_dir().join("scripts/sign-file");
    let mut sign = sandbox().command(&program.to_string_lossy());
    run::output(sign.arg(hash).args(keys.of_modules()).arg(ko))
        .context("cannot sign the module")?;
    Ok(())
}
