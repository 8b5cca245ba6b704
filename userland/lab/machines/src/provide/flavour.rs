// SPDX-License-Identifier: GPL-2.0

//! Kernels that watch themselves: built from Debian's source of the lab's version, and kept.

use crate::cache::{digest, Cache};
use crate::progress::step;
use crate::provide::apt::{self, Suite};
use crate::provide::kernel::Kernel;
use crate::provide::lacks;
use crate::provide::root::{package_list, Recipe, Root};
use crate::run;
use anyhow::{bail, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

const COMMON: &str = include_str!("../../flavours/common.config");
const PACKAGES: [&str; 2] = [
    include_str!("../../packages/kernel"),
    include_str!("../../packages/kernel-build"),
];

/// The suite's own kernel may be older: sources come from where the lab's kernel does.
const LLVM: &str = "LLVM=-19";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// KASAN, UBSAN, kmemleak, lockdep, RCU's proofs, fault injection.
    Debug,
    /// Indirect calls are checked; fault injection.
    Cfi,
}

impl Flavour {
    fn config(self) -> String {
        let own = match self {
            Self::Debug => include_str!("../../flavours/debug.config"),
            Self::Cfi => include_str!("../../flavours/cfi.config"),
        };
        format!("{COMMON}{own}")
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Cfi => "cfi",
        }
    }
}

/// The root in which kernels are built, and modules for kernels that somebody built.
pub fn root(cache: &Cache, suite: &str) -> Result<Root> {
    let suites = apt::with_base(suite);
    let mut packages: Vec<String> = PACKAGES
        .iter()
        .flat_map(|list| package_list(list))
        .collect();
    packages.sort();
    let recipe = Recipe {
        suites: &suites,
        packages: &packages,
    };
    Root::ensure(cache, "kernel-build", &recipe)
}

/// What a flavour of the lab's kernel is built of, and where it is kept.
struct Plan {
    root: Root,
    packages: Suite,
    package: String,
    version: String,
    config: String,
    key: String,
}

impl Plan {
    fn of(cache: &Cache, stock: &Kernel, flavour: Flavour) -> Result<Self> {
        let suite = stock.suite()?;
        let root = root(cache, suite)?;
        let package = stock.source_package();
        let packages = Suite::open(cache, suite)?;
        let version = match packages.package(&package)? {
            Some(package) => package.version,
            None => bail!("suite '{suite}' has no {package}"),
        };
        let config = flavour.config();
        let parts = [
            version.as_str(),
            &config,
            &root.path().display().to_string(),
        ];
        let key = format!("{version}-{}-{}", flavour.name(), digest(parts));
        Ok(Self {
            root,
            packages,
            package,
            version,
            config,
            key,
        })
    }
}

/// Whether [`ensure`] has nothing to build.
pub fn is_built(cache: &Cache, stock: &Kernel, flavour: Flavour) -> Result<bool> {
    let plan = Plan::of(cache, stock, flavour)?;
    Ok(cache.path("flavours").join(plan.key).exists())
}

/// The lab's kernel `stock`, in this flavour. Half an hour and more where it isn't built yet.
pub fn ensure(cache: &Cache, stock: &Kernel, flavour: Flavour) -> Result<Kernel> {
    let plan = Plan::of(cache, stock, flavour)?;
    let tree = cache.entry("flavours", &plan.key, |folder| {
        let building = step(format!(
            "building kernel {} as '{}', once",
            plan.version,
            flavour.name()
        ));
        plan.packages.unpack(&plan.package, folder)?;
        let archive = folder.join(format!("usr/src/{}.tar.xz", plan.package));
        let place = cache.path("flavours").join(&plan.key);
        build(
            &plan.root,
            folder,
            &place,
            &archive,
            &plan.config,
            &|command: &mut _| run::logged(command, &cache.path("flavours/make.log"), &building),
        )?;
        building.done();
        Ok(())
    })?;
    Kernel::of_tree(cache, &tree.join("built"), &plan.root)
}

/// Makes `source` and `built` in `folder`, which the builder sees at the `place` where it will be.
fn build(
    root: &Root,
    folder: &Path,
    place: &Path,
    archive: &Path,
    config: &str,
    logged: &dyn Fn(&mut std::process::Command) -> Result<()>,
) -> Result<()> {
    let inside = |name: &str| place.join(name);
    let sandbox = || root.sandbox().bind_at(folder, place);
    for name in ["source", "built"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let packed = place.join(archive.strip_prefix(folder)?);
    let mut unpack = sandbox().command("tar");
    unpack
        .arg("-xJf")
        .arg(packed)
        .arg("-C")
        .arg(inside("source"));
    logged(unpack.args(["--strip-components=1", "--no-same-owner"]))?;
    fs::remove_dir_all(folder.join("usr"))?;
    let make = |targets: &[&str]| -> Result<()> {
        let mut make = sandbox().command("make");
        make.arg("-C").arg(inside("source"));
        make.arg(format!("O={}", inside("built").display()))
            .arg(LLVM);
        make.arg(format!(
            "-j{}",
            available_parallelism().map_or(1, usize::from)
        ));
        logged(make.args(targets))
    };
    make(&["x86_64_defconfig"])?;
    let file = folder.join("built/.config");
    let defaults = fs::read_to_string(&file)?;
    fs::write(&file, defaults + config)?;
    make(&["olddefconfig"])?;
    holds(&fs::read_to_string(&file)?, config)?;
    make(&["bzImage", "modules"])?;
    forget_objects(&folder.join("built"))
}

/// Fails unless all that is asked for was taken: an option whose conditions aren't met is dropped in silence.
fn holds(config: &str, asked: &str) -> Result<()> {
    let mut lines = asked.lines().filter_map(|line| line.split_once('='));
    let lost = lines.find(|(name, value)| {
        let option = name.trim_start_matches("CONFIG_");
        match *value {
            "n" => lacks::is_set(config, option),
            _ => !config.lines().any(|line| line == format!("{name}={value}")),
        }
    });
    match lost {
        Some((name, value)) => bail!("{name}={value} can't be had in this kernel"),
        None => Ok(()),
    }
}

/// Removes what only building the kernel again would need: gigabytes.
fn forget_objects(built: &Path) -> Result<()> {
    for file in walkdir::WalkDir::new(built) {
        let path: PathBuf = file?.into_path();
        let is_object = path.extension().is_some_and(|e| e == "o" || e == "a");
        // objtool and the like are programs; their objects are small.
        if is_object && !path.starts_with(built.join("tools")) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_was_dropped_is_told() {
        let config = "CONFIG_A=y\nCONFIG_B=m\n";
        holds(config, "# why\nCONFIG_A=y\nCONFIG_C=n\n").unwrap();
        let lost = |asked| holds(config, asked).unwrap_err().to_string();
        assert!(lost("CONFIG_C=y\n").contains("CONFIG_C=y can't be had"));
        assert!(lost("CONFIG_B=n\n").contains("CONFIG_B=n can't be had"));
    }

    #[test]
    fn each_flavour_has_a_name_of_its_own_in_the_release() {
        for flavour in [Flavour::Debug, Flavour::Cfi] {
            let line = format!("CONFIG_LOCALVERSION=\"-{}\"", flavour.name());
            assert!(flavour.config().lines().any(|other| other == line));
        }
    }
}
