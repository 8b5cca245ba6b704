// SPDX-License-Identifier: GPL-2.0

//! An apt repository of packages: a folder that serves as it is, from a disk or from a web server.

use crate::package::debs::{packages, REMARKS};
use crate::package::keys::Keys;
use crate::package::source::copy;
use crate::provide::root::Root;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::Path;

/// The public key in the repository, as apt takes it.
pub const KEYRING: &str = "xcap.gpg";

/// Puts the packages that were made for a kernel of `suite` into `dist/<suite>`, instead of older ones of their names;
/// gives the names of the files.
pub fn put(made: &Path, dist: &Path, suite: &str) -> Result<Vec<String>> {
    let folder = dist.join(suite);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
    let name = |file: &Path| {
        let file = file.file_name().unwrap_or_default();
        file.to_string_lossy().into_owned()
    };
    // `xcap` of `xcap_0.1.0_amd64.deb`.
    let package = |file: &str| file.split('_').next().unwrap_or_default().to_owned();
    let new: Vec<String> = packages(made)?.iter().map(|file| name(file)).collect();
    let replaced: Vec<String> = new.iter().map(|file| package(file)).collect();
    for old in packages(&folder)? {
        if replaced.contains(&package(&name(&old))) {
            fs::remove_file(&old)?;
        }
    }
    for file in &new {
        copy(&made.join(file), &folder.join(file))?;
    }
    copy(&made.join(REMARKS), &folder.join(REMARKS))?;
    Ok(new)
}

/// Makes `repository` of the packages in `dist`, a suite a folder, signed.
pub fn make(root: &Root, keys: &Keys, dist: &Path, repository: &Path) -> Result<Vec<String>> {
    let mut suites = Vec::new();
    let _ = fs::remove_dir_all(repository);
    for entry in fs::read_dir(dist).with_context(|| format!("cannot read '{}'", dist.display()))? {
        let folder = entry?.path();
        let suite = folder.file_name().unwrap_or_default().to_string_lossy();
        if folder.is_dir() && !packages(&folder)?.is_empty() {
            add_suite(root, keys, &folder, repository, &suite)?;
            suites.push(suite.into_owned());
        }
    }
    if suites.is_empty() {
        bail!("no packages in '{}': `make deb` makes them", dist.display());
    }
    copy(&keys.public(), &repository.join(KEYRING))?;
    suites.sort();
    Ok(suites)
}

fn add_suite(
    root: &Root,
    keys: &Keys,
    packed: &Path,
    repository: &Path,
    suite: &str,
) -> Result<()> {
    let pool = repository.join("pool").join(suite);
    for file in packages(packed)? {
        copy(&file, &pool.join(file.file_name().unwrap_or_default()))?;
    }
    let release = repository.join("dists").join(suite);
    let index = release.join("main/binary-amd64");
    fs::create_dir_all(&index)?;
    let repository = fs::canonicalize(repository)?;
    let sandbox = || {
        let sandbox = root.sandbox().bind(&repository);
        sandbox.current_dir(&repository)
    };
    let mut list = sandbox().command("apt-ftparchive");
    let list = run::output(list.args(["packages", &format!("pool/{suite}")]))?;
    fs::write(index.join("Packages"), list)?;
    let mut describe = sandbox().command("apt-ftparchive");
    for (field, value) in [
        ("Origin", "xcap"),
        ("Label", "xcap"),
        ("Suite", suite),
        ("Codename", suite),
        ("Architectures", "amd64"),
        ("Components", "main"),
    ] {
        describe.arg(format!("-oAPT::FTPArchive::Release::{field}={value}"));
    }
    let text = run::output(describe.args(["release", &format!("dists/{suite}")]))?;
    fs::write(release.join("Release"), text)?;
    let _alone = keys.alone()?;
    let mut sign = keys.in_sandbox(sandbox()).command("gpg");
    sign.args(["--batch", "--quiet", "--clearsign"]);
    let at = format!("dists/{suite}");
    sign.args([
        "--output",
        &format!("{at}/InRelease"),
        &format!("{at}/Release"),
    ]);
    run::output(&mut sign).context("cannot sign the repository")?;
    Ok(())
}
