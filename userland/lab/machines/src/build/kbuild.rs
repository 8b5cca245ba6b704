// SPDX-License-Identifier: GPL-2.0

//! Builds the C modules of lab/ for the lab's kernel.

use crate::cache::digest;
use crate::Materials;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Builds the modules of a folder; gives the folder with the `.ko` files.
pub fn build(materials: &Materials, source: &Path) -> Result<PathBuf> {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in
        fs::read_dir(source).with_context(|| format!("cannot read '{}'", source.display()))?
    {
        let path = entry?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if file == "Kbuild"
            || matches!(path.extension().and_then(|e| e.to_str()), Some("c" | "h"))
                && !file.contains(".mod.")
        {
            files.push((file, fs::read_to_string(&path)?));
        }
    }
    files.sort();
    let kernel = &materials.kernel;
    let root = kernel.root.path().to_string_lossy();
    let parts = files
        .iter()
        .flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    let key = format!(
        "{name}-{}-{}",
        kernel.release,
        digest(parts.chain([&*root]))
    );
    materials.cache.entry("kbuild", &key, |folder| {
        for (name, text) in &files {
            fs::write(folder.join(name), text)?;
        }
        let mut make = kernel.root.sandbox().bind(folder).command("make");
        make.arg("-C")
            .arg(kernel.build_dir())
            .arg(format!("M={}", folder.display()));
        let built = make
            .args(["--no-print-directory", "modules"])
            .output()
            .context("cannot run bwrap")?;
        let said = String::from_utf8_lossy(&built.stderr);
        if !built.status.success() {
            bail!(
                "'{}' doesn't build for kernel {}:\n{said}",
                source.display(),
                kernel.release
            );
        }
        Ok(())
    })
}
