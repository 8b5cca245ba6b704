// SPDX-License-Identifier: GPL-2.0

//! The lab's kernel: a stock Debian one with Rust in it, or one that somebody built; and the root that
//! builds modules for it.

use crate::cache::{digest, Cache};
use crate::progress::step;
use crate::provide::apt::{self, Suite};
use crate::provide::root::{package_list, Recipe, Root, Sandbox};
use crate::provide::tree::Tree;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGES: &str = include_str!("../../packages/kernel");
pub(crate) const RUST_METADATA: &str = include_str!("../../../../../scripts/rust-metadata");

/// Where kernels are looked for, in this order; the newest in the first is the default.
pub const SUITES: [&str; 2] = ["trixie-backports", "sid"];

/// A kernel that the mirror offers.
struct Offer {
    suite: String,
    release: String,
    version: String,
    packages: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Kernel {
    pub release: String,
    origin: Origin,
    pub root: Root,
}

#[derive(Clone, Debug)]
enum Origin {
    /// Of this suite's packages, which are in the root.
    Debian(String),
    Built(Tree),
}

impl Kernel {
    /// The kernel in a tree that somebody built; `root` has what builds modules for it.
    pub fn of_tree(cache: &Cache, path: &Path, root: &Root) -> Result<Self> {
        let tree = Tree::open(cache, path, root)?;
        Ok(Self {
            release: tree.release.clone(),
            origin: Origin::Built(tree),
            root: root.clone(),
        })
    }

    /// The kernel that `wanted` names (a release, or a suite whose newest is meant; none: the default), ready for use.
    pub fn ensure(cache: &Cache, wanted: Option<&str>) -> Result<Self> {
        let offer = find(cache, wanted)?;
        let mut packages = package_list(PACKAGES);
        packages.extend(offer.packages.iter().cloned());
        let suites = apt::with_base(&offer.suite);
        let recipe = Recipe {
            suites: &suites,
            packages: &packages,
        };
        let parts = [
            recipe.digest(),
            offer.version.clone(),
            RUST_METADATA.to_owned(),
        ];
        let key = format!(
            "{}-{}",
            offer.release,
            digest(parts.iter().map(String::as_str))
        );
        let path = cache.entry("roots", &key, |dir| make(cache, &offer, &recipe, dir))?;
        Ok(Self {
            release: offer.release,
            origin: Origin::Debian(offer.suite),
            root: Root::at(path),
        })
    }

    fn tree(&self) -> Option<&Tree> {
        match &self.origin {
            Origin::Debian(_) => None,
            Origin::Built(tree) => Some(tree),
        }
    }

    /// The suite whose packages it is.
    pub fn suite(&self) -> Result<&str> {
        match &self.origin {
            Origin::Debian(suite) => Ok(suite),
            Origin::Built(tree) => bail!(
                "'{}' is no kernel of Debian's, which this is for: leave KERNEL unset",
                tree.path().display()
            ),
        }
    }

    /// Its configuration.
    pub fn config(&self) -> Result<String> {
        if let Some(tree) = self.tree() {
            return tree.config();
        }
        let headers = self.headers_dir();
        let inside = headers.strip_prefix("/").unwrap_or(&headers);
        let path = self.root.path().join(inside).join(".config");
        fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))
    }

    /// Where modules are built for it.
    pub fn sandbox(&self) -> Sandbox {
        match self.tree() {
            Some(tree) => tree.bound(self.root.sandbox()),
            None => self.root.sandbox(),
        }
    }

    /// What kbuild has to be told to build modules for it.
    pub fn build_settings(&self) -> Result<Vec<String>> {
        let Some(tree) = self.tree() else {
            return Ok(Vec::new());
        };
        let mut settings = tree.toolchain()?;
        let symbols = tree.symbols();
        settings.extend(symbols.map(|path| format!("KBUILD_EXTRA_SYMBOLS={}", path.display())));
        Ok(settings)
    }

    /// What tells it from every other kernel.
    pub fn identity(&self) -> String {
        match self.tree() {
            Some(tree) => tree.modules_dir().display().to_string(),
            None => self.root.path().display().to_string(),
        }
    }

    /// The kernel image.
    pub fn image(&self) -> Result<PathBuf> {
        if let Some(tree) = self.tree() {
            return Ok(tree.image());
        }
        let usr = self.modules_dir().join("vmlinuz");
        let boot = self
            .root
            .path()
            .join(format!("boot/vmlinuz-{}", self.release));
        match [usr, boot].into_iter().find(|path| path.exists()) {
            Some(path) => Ok(path),
            None => bail!("the packages of kernel {} hold no image", self.release),
        }
    }

    /// `/lib/modules/RELEASE`.
    pub fn modules_dir(&self) -> PathBuf {
        if let Some(tree) = self.tree() {
            return tree.modules_dir();
        }
        self.root.path().join("usr/lib/modules").join(&self.release)
    }

    /// The package with the source that it was built from.
    pub fn source_package(&self) -> String {
        format!("linux-source-{}", series(&self.release))
    }

    /// Where its headers are, as seen in the root.
    pub fn headers_dir(&self) -> PathBuf {
        if let Some(tree) = self.tree() {
            return tree.path().to_owned();
        }
        Path::new("/usr/src").join(format!("linux-headers-{}", self.release))
    }

    /// Where kbuild is, as seen in the root.
    pub fn build_dir(&self) -> PathBuf {
        if let Some(tree) = self.tree() {
            return tree.path().to_owned();
        }
        Path::new("/lib/modules").join(&self.release).join("build")
    }
}

fn find(cache: &Cache, wanted: Option<&str>) -> Result<Offer> {
    let named_suite = wanted.filter(|w| !w.starts_with(|c: char| c.is_ascii_digit()));
    let release = wanted.filter(|_| named_suite.is_none());
    match (named_suite, release) {
        (Some(suite), _) => newest(cache, suite),
        (None, None) => newest(cache, SUITES[0]),
        // There are packages such as linux-headers-7.2, too, and they hold no kernel.
        (None, Some(release)) if !release.contains('-') => bail!(
            "'{release}' is no kernel's whole release, such as 7.3.4+deb13-amd64: see what `apt-cache search linux-headers` \
             lists, leave KERNEL unset for the newest, or name a suite"
        ),
        (None, Some(release)) => {
            for suite in SUITES {
                if let Some(offer) = offer(&Suite::open(cache, suite)?, suite, release)? {
                    return Ok(offer);
                }
            }
            bail!(
                "no kernel '{release}' in {}: leave KERNEL unset for the newest, or name a suite",
                SUITES.join(" or ")
            )
        }
    }
}

fn newest(cache: &Cache, suite: &str) -> Result<Offer> {
    let packages = Suite::open(cache, suite)?;
    let meta = packages
        .package("linux-headers-amd64")?
        .with_context(|| format!("suite '{suite}' has no package linux-headers-amd64"))?;
    let release = meta
        .depends
        .iter()
        .filter_map(|d| d.strip_prefix("linux-headers-"))
        .find(|d| d.ends_with("-amd64"))
        .with_context(|| {
            format!("linux-headers-amd64 in '{suite}' depends on no kernel's headers")
        })?;
    offer(&packages, suite, release)?
        .with_context(|| format!("suite '{suite}' lacks packages of its own kernel {release}"))
}

fn offer(packages: &Suite, suite: &str, release: &str) -> Result<Option<Offer>> {
    let headers = format!("linux-headers-{release}");
    let Some(found) = packages.package(&headers)? else {
        return Ok(None);
    };
    let binary = format!("linux-binary-{release}");
    let mut names = vec![headers];
    if packages.package(&binary)?.is_some() {
        names.extend([binary, format!("linux-modules-{release}")]);
    } else {
        names.push(format!("linux-image-{release}"));
    }
    Ok(Some(Offer {
        suite: suite.to_owned(),
        release: release.to_owned(),
        version: found.version,
        packages: names,
    }))
}

fn make(cache: &Cache, offer: &Offer, recipe: &Recipe, dir: &Path) -> Result<()> {
    let release = &offer.release;
    let metadata_key = format!(
        "{release}-{}",
        digest([offer.version.as_str(), offer.suite.as_str(), RUST_METADATA])
    );
    let have_metadata = cache.path("metadata").join(&metadata_key).is_dir();
    let source = format!("linux-source-{}", series(release));
    let mut packages = recipe.packages.to_vec();
    if !have_metadata {
        packages.push(source.clone());
    }
    let root = Root::at(dir.to_owned());
    let making = step(format!("making the build root for kernel {release}"));
    let recipe = Recipe {
        suites: recipe.suites,
        packages: &packages,
    };
    root.install(
        &recipe,
        &cache.path(&format!("roots/{release}.log")),
        &making,
    )?;
    making.done();

    let headers = format!("usr/src/linux-headers-{release}");
    let config = fs::read_to_string(dir.join(&headers).join(".config"))?;
    if !config.lines().any(|line| line == "CONFIG_RUST=y") {
        bail!("kernel {release} is built without CONFIG_RUST: choose another with KERNEL=");
    }
    let metadata = cache.entry("metadata", &metadata_key, |out| {
        let making = step(format!("making the Rust metadata of kernel {release}"));
        let script = out.join("rust-metadata");
        fs::write(&script, RUST_METADATA)?;
        let mut command = root.sandbox().bind(out).command("sh");
        command.arg(&script).arg(format!("/{headers}")).arg(release);
        command.arg(format!("/usr/src/{source}.tar.xz")).arg(out);
        run::logged(&mut command, &cache.path("metadata/make.log"), &making)?;
        fs::remove_file(script)?;
        making.done();
        Ok(())
    })?;
    graft(&metadata, &dir.join(&headers))?;
    if !have_metadata {
        fs::remove_file(dir.join(format!("usr/src/{source}.tar.xz")))?;
    }
    Ok(())
}

/// Copies what `lab/rust-metadata` made over the headers.
fn graft(metadata: &Path, headers: &Path) -> Result<()> {
    for file in walkdir::WalkDir::new(metadata) {
        let file = file?;
        let to = headers.join(file.path().strip_prefix(metadata).expect("it is under it"));
        if file.file_type().is_dir() {
            fs::create_dir_all(&to)
        } else {
            fs::copy(file.path(), &to).map(drop)
        }
        .with_context(|| format!("cannot write '{}'", to.display()))?;
    }
    Ok(())
}

/// `7.3` of `7.3.4+deb13-amd64`.
fn series(release: &str) -> &str {
    let mut dots = release.match_indices('.').map(|(at, _)| at);
    match dots.nth(1) {
        Some(at) => &release[..at],
        None => release.split(['-', '+']).next().unwrap_or(release),
    }
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn the_series_names_the_source_package() {
        assert_eq!(series("7.3.4+deb13-amd64"), "7.3");
        assert_eq!(series("7.4+deb14-amd64"), "7.4");
        assert_eq!(series("7.10.11-amd64"), "7.10");
    }
}
