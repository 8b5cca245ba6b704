// SPDX-License-Identifier: GPL-2.0

//! `deb` and `repo`.

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xcap_lab::cli::{DebOptions, RepoOptions};
use xcap_machines::build::module::{self, Lints};
use xcap_machines::cache::Cache;
use xcap_machines::materials::{source_tree, wanted_kernel};
use xcap_machines::package::debs::{Builder, REMARKS};
use xcap_machines::package::keys::{usual_folder, Keys};
use xcap_machines::package::repository::{self, KEYRING};
use xcap_machines::package::root;
use xcap_machines::package::version::Version;
use xcap_machines::provide::kernel::Kernel;
use xcap_machines::provide::root::Root;

pub fn deb(options: &DebOptions) -> Result<ExitCode> {
    let cache = Cache::open()?;
    let tree = source_tree()?;
    let kernel = Kernel::ensure(&cache, wanted_kernel().as_deref())?;
    let module = module::build(&cache, &kernel, &tree, Lints::Compiler)?;
    let root = root(&cache)?;
    let keys = keys(&root, options.keys.as_deref())?;
    let builder = Builder {
        cache: &cache,
        root: &root,
        keys: &keys,
        version: Version::of_tree(&tree),
    };
    let made = builder.build(&tree, &kernel, &module)?;
    let folder = options.dist.join(kernel.suite()?);
    for file in repository::put(&made, &options.dist, kernel.suite()?)? {
        println!("{}", folder.join(file).display());
    }
    eprintln!("lintian's remarks: {}", folder.join(REMARKS).display());
    Ok(ExitCode::SUCCESS)
}

pub fn repo(options: &RepoOptions) -> Result<ExitCode> {
    let root = root(&Cache::open()?)?;
    let keys = keys(&root, options.keys.as_deref())?;
    let place = options.dist.join("repo");
    let suites = repository::make(&root, &keys, &options.dist, &place)?;
    let place = std::fs::canonicalize(place)?;
    let shown = place.display();
    println!("{shown}");
    let keyring = format!("/usr/share/keyrings/{KEYRING}");
    eprintln!("to install from it, or from where it is served instead of file:{shown}, as root:");
    eprintln!("  cp {shown}/{KEYRING} {keyring}");
    for suite in suites {
        eprintln!("  echo 'deb [signed-by={keyring}] file:{shown} {suite} main' >/etc/apt/sources.list.d/xcap.list");
    }
    eprintln!("  apt update && apt install xcap");
    Ok(ExitCode::SUCCESS)
}

fn keys(root: &Root, folder: Option<&Path>) -> Result<Keys> {
    let folder = match folder {
        Some(folder) => PathBuf::from(folder),
        None => usual_folder()?,
    };
    Keys::ensure(root, &folder)
}
