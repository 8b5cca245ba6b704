// SPDX-License-Identifier: GPL-2.0

//! Builds small modules, in C or Rust, for the lab's kernel.

use crate::cache::{digest, Cache};
use crate::provide::kernel::Kernel;
use crate::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Name → text.
type Sources = Vec<(String, String)>;

/// Builds the modules of the folder `source`; gives the folder with the `.ko` files.
pub fn build(cache: &Cache, kernel: &Kernel, source: &Path) -> Result<PathBuf> {
    build_against(cache, kernel, None, source, &[])
}

/// As [`build`], against other Rust metadata than the kernel's where some is given. `settings` are for the Kbuild.
pub fn build_against(
    cache: &Cache,
    kernel: &Kernel,
    metadata: Option<&Path>,
    source: &Path,
    settings: &[&str],
) -> Result<PathBuf> {
    let sources = sources(source)?;
    let mut parts = vec![kernel.identity()];
    parts.extend(metadata.map(|path| path.display().to_string()));
    parts.extend(settings.iter().map(|&setting| setting.to_owned()));
    let files = sources.iter();
    parts.extend(files.flat_map(|(name, text)| [name.clone(), text.clone()]));
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let digest = digest(parts.iter().map(String::as_str));
    let key = format!("{name}-{}-{digest}", kernel.release);
    cache.entry("kbuild", &key, |folder| {
        for (name, text) in &sources {
            fs::write(folder.join(name), text)?;
        }
        let mut sandbox = kernel.sandbox().bind(folder);
        for (path, inside) in stand_ins(metadata, &kernel.headers_dir())? {
            sandbox = sandbox.bind_ro_at(&path, &inside);
        }
        let mut make = sandbox.command("make");
        make.arg("-C").arg(kernel.build_dir());
        make.arg(format!("M={}", folder.display()));
        make.args(["--no-print-directory", "modules"]);
        make.args(kernel.build_settings()?);
        let built = run::output(make.args(settings));
        built.map(drop).with_context(|| {
            let (source, release) = (source.display(), &kernel.release);
            format!("'{source}' doesn't build for kernel {release}")
        })
    })
}

/// What people write of a module.
fn sources(folder: &Path) -> Result<Sources> {
    let cannot = || format!("cannot read '{}'", folder.display());
    let mut sources = Sources::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_source = matches!(extension, Some("c" | "h" | "rs")) && !name.contains(".mod.");
        if name == "Kbuild" || is_source {
            sources.push((name.into_owned(), fs::read_to_string(&path)?));
        }
    }
    sources.sort();
    Ok(sources)
}

/// The files of `metadata`, each with the one among the headers that it stands in for.
fn stand_ins(metadata: Option<&Path>, headers: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut files = Vec::new();
    let Some(metadata) = metadata else {
        return Ok(files);
    };
    for entry in WalkDir::new(metadata) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(metadata).expect("it is under it");
            files.push((entry.path().to_owned(), headers.join(name)));
        }
    }
    Ok(files)
}
