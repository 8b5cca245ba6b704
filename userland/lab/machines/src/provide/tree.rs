// SPDX-License-Identifier: GPL-2.0

//! A kernel that somebody built: its tree, whatever is in it.

use crate::cache::{digest, Cache};
use crate::provide::root::{Root, Sandbox};
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a kernel was built, with what it was built from.
#[derive(Clone, Debug)]
pub struct Tree {
    /// `.config`, `vmlinux.symvers` and all that was made.
    path: PathBuf,
    /// The sources, where they are elsewhere (`make O=`).
    source: Option<PathBuf>,
    pub release: String,
    /// Its modules as they are installed: `lib/modules/RELEASE`.
    installed: PathBuf,
}

impl Tree {
    /// Looks at a tree; its modules are installed in the cache, by what is in `root`.
    pub fn open(cache: &Cache, path: &Path, root: &Root) -> Result<Self> {
        let path = fs::canonicalize(path)
            .with_context(|| format!("no kernel tree '{}'", path.display()))?;
        let image = path.join("arch/x86/boot/bzImage");
        if !image.exists() {
            bail!(
                "'{}' holds no arch/x86/boot/bzImage: build it (make bzImage modules)",
                path.display()
            );
        }
        let release = fs::read_to_string(path.join("include/config/kernel.release"))
            .with_context(|| format!("'{}' is no built tree", path.display()))?;
        let mut tree = Self {
            source: source(&path),
            release: release.trim().to_owned(),
            installed: PathBuf::new(),
            path,
        };
        tree.installed = tree.install(cache, root, &image)?;
        Ok(tree)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn image(&self) -> PathBuf {
        self.path.join("arch/x86/boot/bzImage")
    }

    pub fn modules_dir(&self) -> PathBuf {
        self.installed.join("lib/modules").join(&self.release)
    }

    pub fn config(&self) -> Result<String> {
        let path = self.path.join(".config");
        fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))
    }

    /// As `sandbox`, in which the tree is where it is.
    pub fn bound(&self, sandbox: Sandbox) -> Sandbox {
        let sandbox = sandbox.bind_ro(&self.path);
        match &self.source {
            Some(source) => sandbox.bind_ro(source),
            None => sandbox,
        }
    }

    /// What make has to be told to use the compiler that built it.
    pub fn toolchain(&self) -> Result<Vec<String>> {
        Ok(toolchain(&self.config()?))
    }

    /// What modules link against, for a tree without modules of its own.
    pub fn symbols(&self) -> Option<PathBuf> {
        let made = self.path.join("Module.symvers");
        let symbols = self.path.join("vmlinux.symvers");
        (!made.exists() && symbols.exists()).then_some(symbols)
    }

    fn install(&self, cache: &Cache, root: &Root, image: &Path) -> Result<PathBuf> {
        let built = fs::metadata(image)?.modified()?;
        let built = built.duration_since(std::time::UNIX_EPOCH)?.as_millis();
        let parts = [self.path.display().to_string(), built.to_string()];
        let key = format!(
            "{}-{}",
            self.release,
            digest(parts.iter().map(String::as_str))
        );
        cache.entry("trees", &key, |folder| {
            let modules = folder.join("lib/modules").join(&self.release);
            fs::create_dir_all(&modules)?;
            if !self.path.join("modules.order").exists() {
                fs::write(modules.join("modules.dep"), "")?;
                return Ok(());
            }
            let mut make = self.bound(root.sandbox()).bind(folder).command("make");
            make.arg("-C").arg(&self.path);
            make.arg(format!("INSTALL_MOD_PATH={}", folder.display()));
            make.args(self.toolchain()?);
            run::output(make.arg("modules_install"))
                .with_context(|| format!("the modules of '{}'", self.path.display()))?;
            Ok(())
        })
    }
}

/// Where the sources are that are not in the tree itself.
fn source(path: &Path) -> Option<PathBuf> {
    let link = fs::canonicalize(path.join("source")).ok()?;
    (link != path).then_some(link)
}

/// `LLVM=-19` for a kernel that clang 19 built.
fn toolchain(config: &str) -> Vec<String> {
    let is_set = |line: &str| config.lines().any(|other| other == line);
    let version = config.lines().find_map(|line| {
        let version = line.strip_prefix("CONFIG_CLANG_VERSION=")?;
        version.parse::<u32>().ok()
    });
    match version {
        Some(version) if is_set("CONFIG_CC_IS_CLANG=y") => {
            vec![format!("LLVM=-{}", version / 10_000)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_the_one_that_built_it() {
        let clang = "CONFIG_CC_IS_CLANG=y\nCONFIG_CLANG_VERSION=190107\n";
        assert_eq!(toolchain(clang), ["LLVM=-19"]);
        let gcc = "CONFIG_CC_IS_GCC=y\nCONFIG_CLANG_VERSION=0\n";
        assert!(toolchain(gcc).is_empty());
    }

    #[test]
    fn a_tree_that_was_not_built_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache")).unwrap();
        let root = Root::at(folder.path().to_owned());
        let open = |path: &Path| Tree::open(&cache, path, &root).unwrap_err().to_string();
        assert!(open(&folder.path().join("none")).contains("no kernel tree"));
        assert!(open(folder.path()).contains("make bzImage modules"));
    }
}
