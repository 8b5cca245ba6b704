// SPDX-License-Identifier: GPL-2.0

//! Debian's programs, for machines that have no Debian.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use xcap_machines::cache::digest;
use xcap_machines::config::Copy;
use xcap_machines::materials::MACHINE_SUITE;
use xcap_machines::provide::apt::Suite;
use xcap_machines::Materials;

/// Where each program has a folder of its name.
pub const FOLDER: &str = "/lab/packaged";

/// A program with its libraries.
pub fn copy(materials: &Materials, program: &str) -> Result<Copy> {
    Ok(Copy {
        from: unpacked(materials, program)?,
        to: format!("{FOLDER}/{program}"),
    })
}

fn unpacked(materials: &Materials, program: &str) -> Result<PathBuf> {
    let suite = Suite::open(&materials.cache, MACHINE_SUITE)?;
    let version = suite
        .package(program)?
        .with_context(|| format!("the suite has no {program}"))?
        .version;
    let key = format!("{program}-{}", digest([version.as_str()]));
    materials.cache.entry("programs", &key, |folder| {
        let mut wanted = vec![program.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            // Of alternatives, one is there.
            let Some(package) = suite.package(&name)? else {
                continue;
            };
            suite.unpack(&name, folder)?;
            let libraries = package.depends.into_iter();
            wanted.extend(libraries.filter(|name| name.starts_with("lib") || name == "zlib1g"));
        }
        for needless in ["usr/share", "usr/sbin", "etc", "var"] {
            let needless = folder.join(needless);
            if needless.exists() {
                fs::remove_dir_all(needless)?;
            }
        }
        Ok(())
    })
}
