// SPDX-License-Identifier: GPL-2.0

//! A disk with a Debian on it, as people install one: with the lab's kernel, and nothing of xcap's.

use crate::cache::{digest, Cache};
use crate::progress::step;
use crate::provide::apt;
use crate::provide::kernel::Kernel;
use crate::provide::root::{package_list, Recipe, Root};
use crate::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use walkdir::WalkDir;

const PACKAGES: &str = include_str!("../../packages/installed");

/// Of the kernel's modules, those that the disk has: `depmod` reads each that there is, which takes minutes in
/// emulation for all.
const MODULES: [&str; 4] = [
    "drivers/block/virtio_blk",
    "drivers/net/ethernet/intel/e1000e/",
    "fs/ext4/",
    "net/bridge/",
];

/// Room for what is installed on it.
const SIZE: &str = "1500M";

/// The root that the disk is made of.
pub fn root(cache: &Cache, kernel: &Kernel) -> Result<Root> {
    let mut packages = package_list(PACKAGES);
    // Backports' kernel asks for backports' own.
    packages.push(format!("linux-base/{}", kernel.suite()?));
    packages.push(format!("linux-image-{}", kernel.release));
    let suites = apt::with_base(kernel.suite()?);
    let recipe = Recipe {
        suites: &suites,
        packages: &packages,
    };
    Root::ensure(cache, &format!("installed-{}", kernel.release), &recipe)
}

/// The disk, raw, an ext4 file system. `tools` has what makes one.
pub fn installed(cache: &Cache, kernel: &Kernel, tools: &Root) -> Result<PathBuf> {
    let root = root(cache, kernel)?;
    let made_of = [root.path().to_string_lossy().into_owned(), SIZE.to_owned()];
    let parts = made_of.iter().map(String::as_str).chain(MODULES);
    let key = format!("{}-{}", kernel.release, digest(parts));
    let folder = cache.entry("disks", &key, |out| {
        let making = step(format!("making a disk with kernel {}", kernel.release));
        let copy = out.join("root");
        // Links will do: nothing is written to these files.
        let mut link = Command::new("cp");
        run::output(link.args(["-al"]).arg(root.path()).arg(&copy))?;
        prune(&copy.join("usr/lib/modules").join(&kernel.release))?;
        let mut make = tools.sandbox().bind(out).command("mke2fs");
        make.args(["-q", "-t", "ext4", "-d"]).arg(&copy);
        make.arg(out.join("disk")).arg(SIZE);
        run::output(&mut make).context("cannot make the disk")?;
        fs::remove_dir_all(&copy)?;
        making.done();
        Ok(())
    })?;
    Ok(folder.join("disk"))
}

/// Leaves of a kernel's modules those that are wanted.
fn prune(modules: &Path) -> Result<()> {
    let kernel = modules.join("kernel");
    for file in WalkDir::new(&kernel) {
        let file = file?;
        let name = file.path().strip_prefix(&kernel).expect("it is under it");
        let name = name.to_string_lossy();
        let wanted = MODULES.iter().any(|wanted| name.starts_with(wanted));
        if file.file_type().is_file() && !wanted {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
