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
    image: PathBuf,
    /// The sources, where they are elsewhere (`make O=`).
    source: Option<PathBuf>,
    pub release: String,
    /// Its modules as they are installed: `lib/modules/RELEASE`.
    installed: PathBuf,
}

impl Tree {
    /// Looks at a tree, or at an image whose modules are installed. A tree's are installed in the cache, by what is in
    /// `root`.
    pub fn open(cache: &Cache, path: &Path, root: &Root) -> Result<Self> {
        let path = fs::canonicalize(path)
            .with_context(|| format!("no kernel tree '{}'", path.display()))?;
        if path.is_file() {
            return Self::of_image(path);
        }
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
            image,
            path,
        };
        tree.installed = tree.install(cache, root)?;
        Ok(tree)
    }

    /// A kernel whose modules are in `lib/modules` beside it or above, with a link to where it was built.
    fn of_image(image: PathBuf) -> Result<Self> {
        let release = fs::read(&image).ok().and_then(|bytes| release(&bytes));
        let release =
            release.with_context(|| format!("'{}' is no bzImage of a kernel", image.display()))?;
        let name = Path::new("lib/modules").join(&release);
        let mut above = image.ancestors();
        let installed = above.find(|folder| folder.join(&name).is_dir());
        let installed = installed.with_context(|| {
            format!(
                "no {} beside '{}' or above: install its modules (make modules_install INSTALL_MOD_PATH=)",
                name.display(),
                image.display()
            )
        })?;
        let build = installed.join(&name).join("build");
        let path = fs::canonicalize(&build).with_context(|| {
            format!(
                "'{}' doesn't lead to where the kernel was built: xcap is built against that",
                build.display()
            )
        })?;
        Ok(Self {
            source: source(&path),
            installed: installed.to_owned(),
            release,
            image,
            path,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn image(&self) -> PathBuf {
        self.image.clone()
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

    fn install(&self, cache: &Cache, root: &Root) -> Result<PathBuf> {
        let built = fs::metadata(&self.image)?.modified()?;
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

/// What the header of a bzImage says that it is (Documentation/arch/x86/boot.rst: `kernel_version`).
fn release(image: &[u8]) -> Option<String> {
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let at = image.get(0x20e..0x210)?;
    let at = usize::from(u16::from_le_bytes(at.try_into().ok()?)) + 0x200;
    let text = image.get(at..)?;
    let end = text.iter().position(|byte| matches!(byte, 0 | b' '))?;
    String::from_utf8(text[..end].to_vec()).ok()
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

    fn image(said: &str) -> Vec<u8> {
        let mut image = vec![0; 0x400];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100u16.to_le_bytes());
        image[0x300..0x300 + said.len()].copy_from_slice(said.as_bytes());
        image
    }

    #[test]
    fn an_image_says_its_release_and_its_modules_are_found_above() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache")).unwrap();
        let root = Root::at(folder.path().to_owned());
        let file = folder.path().join("boot/vmlinuz");
        let modules = folder.path().join("lib/modules/7.3.4-mine");
        let open = || Tree::open(&cache, &file, &root).map_err(|e| e.to_string());
        fs::create_dir(folder.path().join("boot")).unwrap();
        fs::write(&file, "text").unwrap();
        assert!(open().unwrap_err().contains("is no bzImage"));
        fs::write(&file, image("7.3.4-mine (somebody) #1 SMP")).unwrap();
        assert!(open().unwrap_err().contains("make modules_install"));
        fs::create_dir_all(&modules).unwrap();
        assert!(open().unwrap_err().contains("where the kernel was built"));
        fs::create_dir(modules.join("build")).unwrap();
        let tree = open().unwrap();
        assert_eq!(tree.release, "7.3.4-mine");
        assert_eq!(tree.modules_dir(), modules);
        assert_eq!(tree.image(), file);
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
