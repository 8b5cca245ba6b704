// SPDX-License-Identifier: GPL-2.0

//! The crates of the source tree: the kernel module, and what Cargo builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

/// What is compiled as one.
#[derive(Debug)]
pub struct Crate {
    /// The package's name; of what is not its library, and of what it is, too.
    pub name: String,
    /// The file that the compiler is given.
    pub root: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// The top of the source tree.
pub fn source_tree() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let top = here
        .ancestors()
        .find(|folder| folder.join("Kbuild").exists());
    top.unwrap_or(here).to_owned()
}

/// All crates, the kernel module's first.
pub fn all() -> Result<Vec<Crate>> {
    let mut crates = vec![Crate {
        name: "xcap.ko".into(),
        root: source_tree().join("xcap_mod.rs"),
    }];
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked"])
        .args(["--format-version", "1", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(
        cargo.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&cargo.stdout)?;
    for package in metadata.packages {
        for target in package.targets {
            let kind = target.kind.join(",");
            crates.push(Crate {
                name: match kind.as_str() {
                    "test" => format!("{} test {}", package.name, target.name),
                    "bin" => format!("{} program", package.name),
                    _ => package.name.clone(),
                },
                root: target.src_path,
            });
        }
    }
    Ok(crates)
}
