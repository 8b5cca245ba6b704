// SPDX-License-Identifier: GPL-2.0

//! Builds the packages.

use crate::cache::{digest, Cache};
use crate::package::keys::Keys;
use crate::package::signature;
use crate::package::source::{copy, stage};
use crate::package::version::Version;
use crate::progress::step;
use crate::provide::kernel::Kernel;
use crate::provide::root::Root;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// What lintian had to say, beside the packages.
pub const REMARKS: &str = "lintian.txt";

pub struct Builder<'a> {
    pub cache: &'a Cache,
    /// See [`super::root`].
    pub root: &'a Root,
    pub keys: &'a Keys,
    pub version: Version,
}

impl Builder<'_> {
    /// Packages of the programs of tools_dir() and of the source tree's module, built for this kernel; gives the folder
    /// with them. An error of lintian's is one.
    pub fn build(&self, tree: &Path, kernel: &Kernel, module: &Path) -> Result<PathBuf> {
        let staged = tempfile::tempdir()?;
        let source = staged.path().join("source");
        stage(&source, tree, kernel, &self.version)?;
        copy(module, &source.join("built/xcap.ko"))?;
        copy(&self.keys.certificate(), &source.join("built/signer.der"))?;
        let key = format!("{}-{}", kernel.release, self.key(kernel, &source)?);
        self.cache.entry("debs", &key, |out| {
            let building = step(format!("making packages for kernel {}", kernel.release));
            // The sandbox has a /tmp of its own.
            let work = tempfile::tempdir_in(out)?;
            let source = work.path().join("source");
            copy(&staged.path().join("source"), &source)?;
            self.sign(kernel, &source.join("built"))?;
            self.pack(&source, &out.join("build.log"))?;
            let remarks = self.review(work.path())?;
            fs::write(out.join(REMARKS), remarks)?;
            for file in packages(work.path())? {
                copy(&file, &out.join(file.file_name().unwrap_or_default()))?;
            }
            building.done();
            Ok(())
        })
    }

    fn key(&self, kernel: &Kernel, source: &Path) -> Result<String> {
        let roots = [self.root, &kernel.root];
        let mut parts: Vec<Vec<u8>> = roots
            .map(|root| root.path().to_string_lossy().into_owned().into_bytes())
            .to_vec();
        for file in WalkDir::new(source).sort_by_file_name() {
            let file = file?;
            if file.file_type().is_file() {
                let name = file.path().strip_prefix(source).expect("it is under it");
                parts.push(name.to_string_lossy().into_owned().into_bytes());
                parts.push(fs::read(file.path())?);
            }
        }
        Ok(digest(parts))
    }

    /// The module, signed and packed.
    fn sign(&self, kernel: &Kernel, built: &Path) -> Result<()> {
        let ko = built.join("xcap.ko");
        signature::sign(self.keys, kernel, &ko)?;
        // As the kernel's own decompressor takes it.
        let mut xz = kernel.root.sandbox().bind(built).command("xz");
        run::output(xz.args(["--check=crc32", "--lzma2=dict=1MiB"]).arg(&ko))?;
        Ok(())
    }

    fn pack(&self, source: &Path, log: &Path) -> Result<()> {
        let folder = source.parent().context("it is in a folder")?;
        let sandbox = self.root.sandbox().bind(folder).current_dir(source);
        let mut build = sandbox
            .env("DEB_BUILD_OPTIONS", "nocheck noautodbgsym")
            .command("dpkg-buildpackage");
        // The compilers that were used are in other roots.
        build.args(["--build=binary", "--no-sign", "--no-check-builddeps"]);
        let packing = step("packing");
        run::logged(&mut build, log, &packing)?;
        packing.done();
        Ok(())
    }

    /// What lintian says of the packages in `folder`.
    fn review(&self, folder: &Path) -> Result<String> {
        let mut lintian = self.root.sandbox().bind(folder).command("lintian");
        lintian.args(["--fail-on", "error", "--tag-display-limit", "0", "--info"]);
        if nix::unistd::geteuid().is_root() {
            lintian.arg("--allow-root");
        }
        lintian.args(packages(folder)?);
        let said = lintian.output().context("cannot run bwrap")?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        if !said.status.success() {
            let complaint = String::from_utf8_lossy(&said.stderr);
            bail!("lintian finds errors in the packages:\n{text}{complaint}");
        }
        Ok(text)
    }
}

/// The packages in a folder, in order.
pub fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read '{}'", folder.display());
    let mut packages = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            packages.push(path);
        }
    }
    packages.sort();
    Ok(packages)
}
