// SPDX-License-Identifier: GPL-2.0

//! Rust metadata as if the kernel's source were patched: modules built against it run on the stock kernel.
//!
//! That does for patches of the `kernel` crate: a module brings along what it uses of the crate's generic code.

use crate::cache::{digest, Cache};
use crate::progress::step;
use crate::provide::apt::Suite;
use crate::provide::kernel::{Kernel, RUST_METADATA};
use crate::provide::root::Root;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The patches in `folder`, in the order of their numbers.
pub fn series(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read '{}'", folder.display());
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    if patches.is_empty() {
        bail!("no patches in '{}'", folder.display());
    }
    Ok(patches)
}

/// The Rust metadata of `kernel`'s source with `patches` applied. `machine` has what applies them.
pub fn metadata(
    cache: &Cache,
    kernel: &Kernel,
    machine: &Root,
    patches: &[PathBuf],
) -> Result<PathBuf> {
    let mut parts = vec![kernel.root.path().display().to_string()];
    for patch in patches {
        let text = fs::read_to_string(patch);
        parts.push(text.with_context(|| format!("cannot read '{}'", patch.display()))?);
    }
    let digest = digest(parts.iter().map(String::as_str));
    let key = format!("{}-patched-{digest}", kernel.release);
    cache.entry("metadata", &key, |out| {
        let making = step(format!(
            "making the Rust metadata of kernel {}, patched",
            kernel.release
        ));
        let work = tempfile::tempdir_in(out)?;
        let package = kernel.source_package();
        Suite::open(cache, kernel.suite()?)?.unpack(&package, work.path())?;
        let script = work.path().join("rust-metadata");
        fs::write(&script, RUST_METADATA)?;
        // busybox is what it's called.
        let busybox = machine.path().join("usr/bin/busybox");
        let mut sandbox = kernel.root.sandbox().bind(out);
        sandbox = sandbox.bind_ro_at(&busybox, Path::new("/run/patch/patch"));
        sandbox = sandbox.env("PATH", "/usr/sbin:/usr/bin:/run/patch");
        for patch in patches {
            sandbox = sandbox.bind_ro(patch);
        }
        let mut command = sandbox.command("sh");
        command
            .arg(&script)
            .arg(kernel.headers_dir())
            .arg(&kernel.release);
        command
            .arg(work.path().join(format!("usr/src/{package}.tar.xz")))
            .arg(out);
        command.args(patches);
        run::logged(
            &mut command,
            &cache.path("metadata/make-patched.log"),
            &making,
        )?;
        making.done();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_come_in_the_order_of_their_numbers_and_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(series(dir.path())
            .unwrap_err()
            .to_string()
            .contains("no patches"));
        for name in ["0002-b.patch", "0001-c.patch", "README.md"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let names = ["0001-c.patch", "0002-b.patch"].map(|name| dir.path().join(name));
        assert_eq!(series(dir.path()).unwrap(), names);
    }
}
