// SPDX-License-Identifier: GPL-2.0

//! Builds the kernel module against the lab's kernel.

use crate::cache::{digest, Cache};
use crate::provide::kernel::Kernel;
use anyhow::{bail, Context, Result};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use walkdir::WalkDir;

/// What kbuild compiles: no more than this is looked at.
pub const SOURCES: [&str; 4] = ["Kbuild", "xcap_mod.rs", "kmod", "abi/src"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lints {
    Compiler,
    Clippy,
}

/// Builds the module of the source tree `source`; gives the `.ko`. Only what changed is compiled again.
///
/// The tree itself stays clean: a copy in the cache is built.
pub fn build(cache: &Cache, kernel: &Kernel, source: &Path, lints: Lints) -> Result<PathBuf> {
    let variant = match lints {
        Lints::Compiler => "module",
        Lints::Clippy => "clippy",
    };
    let origin = digest([source.to_string_lossy().as_ref(), &kernel.identity()]);
    let name = format!("build/{}-{variant}-{origin}", kernel.release);
    let _lock = cache.lock(&name)?;
    let copy = cache.path(&name);
    for part in SOURCES {
        mirror(&source.join(part), &copy.join(part))?;
    }
    let mut make = kernel.sandbox().bind(&copy).command("make");
    make.arg("-C").arg(kernel.build_dir());
    make.arg(format!("M={}", copy.display()));
    make.arg(format!(
        "-j{}",
        std::thread::available_parallelism().map_or(1, usize::from)
    ));
    make.arg("--no-print-directory");
    if lints == Lints::Clippy {
        make.arg("CLIPPY=1");
    }
    make.args(kernel.build_settings()?);
    make.arg("modules");
    let built = make.output().context("cannot run bwrap")?;
    let said = String::from_utf8_lossy(&built.stderr);
    if !built.status.success() {
        let steps = String::from_utf8_lossy(&built.stdout);
        bail!(
            "the module doesn't build for kernel {}:\n{steps}{said}",
            kernel.release
        );
    }
    if !said.trim().is_empty() {
        // objtool looks at what the compiler made, of which clippy makes another thing than is loaded.
        let remarks = said.lines().any(|line| !line.contains(": objtool: "));
        if lints == Lints::Clippy && remarks {
            // Compiled again, and remarked on again, the next time.
            fs::remove_file(copy.join("xcap_mod.o"))?;
            bail!("clippy has remarks on the module:\n{said}");
        }
        if lints == Lints::Compiler {
            eprint!("{said}");
        }
    }
    let ko = copy.join("xcap.ko");
    if !ko.exists() {
        bail!("kbuild made no xcap.ko in '{}'", copy.display());
    }
    Ok(ko)
}

/// Tells any two states of the module's sources apart, and of what is in the folders `others`.
pub fn sources_digest(source: &Path, others: &[&str]) -> Result<String> {
    let mut parts = Vec::new();
    for part in SOURCES.iter().chain(others) {
        let top = source.join(part);
        for file in WalkDir::new(&top).sort_by_file_name() {
            let path = file?.into_path();
            if path.is_file() && is_source(&top, &path) {
                let name = path.strip_prefix(source).expect("it is under it");
                parts.push(name.display().to_string());
                parts.push(fs::read_to_string(&path)?);
            }
        }
    }
    Ok(digest(parts.iter().map(String::as_str)))
}

/// Fails, showing the differences, unless the module's sources are as rustfmt writes them.
pub fn check_format(kernel: &Kernel, source: &Path) -> Result<()> {
    let mut files = Vec::new();
    for part in ["xcap_mod.rs", "kmod"] {
        for file in WalkDir::new(source.join(part)) {
            let path = file?.into_path();
            if path.extension().is_some_and(|e| e == "rs")
                && !path.ends_with("bindings_generated.rs")
            {
                files.push(path);
            }
        }
    }
    let mut rustfmt = kernel
        .root
        .sandbox()
        .bind_ro(source)
        .current_dir(source)
        .command("rustfmt");
    rustfmt.args(["--check", "--edition", "2021"]).args(files);
    run_shown(
        &mut rustfmt,
        "the module isn't formatted: run rustfmt --edition 2021 on the files named above",
    )
}

fn run_shown(command: &mut Command, failure: &str) -> Result<()> {
    let status = command.status().context("cannot run bwrap")?;
    if !status.success() {
        bail!("{failure}");
    }
    Ok(())
}

/// Makes `to` hold what `from` holds, leaving alone what is the same and what kbuild made.
pub fn mirror(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        bail!(
            "'{}' is missing: is this xcap's source tree?",
            from.display()
        );
    }
    if from.is_dir() {
        fs::create_dir_all(to)?;
    }
    let mut wanted = HashSet::new();
    for file in WalkDir::new(from) {
        let file = file?;
        let source = file.path();
        let name = source.strip_prefix(from).expect("it is under it");
        if !file.file_type().is_file() || !is_source(from, source) {
            continue;
        }
        let target = if name.as_os_str().is_empty() {
            to.to_owned()
        } else {
            to.join(name)
        };
        let bytes =
            fs::read(source).with_context(|| format!("cannot read '{}'", source.display()))?;
        if fs::read(&target).ok().as_deref() != Some(&bytes) {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&target, bytes)
                .with_context(|| format!("cannot write '{}'", target.display()))?;
        }
        wanted.insert(target);
    }
    for file in WalkDir::new(to) {
        let path = file?.into_path();
        if path.is_file() && is_source(to, &path) && !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether a file below `top` (or `top` itself) is one that people write.
fn is_source(top: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(top).expect("it is under it");
    if below
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
    {
        return false;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().and_then(|e| e.to_str());
    let generated = name.contains("generated") || name.ends_with(".mod.c");
    !generated && matches!(extension, None | Some("rs" | "c" | "h" | "S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_follows_changes_and_keeps_what_was_built() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/a.rs"), "1").unwrap();
        fs::write(from.join("b.rs"), "1").unwrap();
        fs::write(from.join("sub/.a.o.cmd"), "kbuild's").unwrap();
        mirror(&from, &to).unwrap();
        let untouched = fs::metadata(to.join("b.rs")).unwrap().modified().unwrap();
        fs::write(to.join("a.o"), "built").unwrap();
        fs::write(from.join("sub/c.rs"), "2").unwrap();
        fs::remove_file(from.join("sub/a.rs")).unwrap();
        mirror(&from, &to).unwrap();
        assert!(!to.join("sub/a.rs").exists());
        assert_eq!(fs::read_to_string(to.join("sub/c.rs")).unwrap(), "2");
        assert!(to.join("a.o").exists());
        assert!(!to.join("sub/.a.o.cmd").exists());
        assert_eq!(
            fs::metadata(to.join("b.rs")).unwrap().modified().unwrap(),
            untouched
        );
    }
}
