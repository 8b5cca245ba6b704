// SPDX-License-Identifier: GPL-2.0

//! What a results folder holds, so that others can check and repeat it: manifest.json.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use xcap_study::load::Run;
use xcap_study::planned::Planned;

/// Its file's name.
pub const NAME: &str = "manifest.json";

/// Version of this format.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// The program that wrote the report.
    pub made_by: String,
    /// What was asked for when the runs were made: seed, order, command. Null where the runs were
    /// made by hand.
    pub study: Option<Planned>,
    /// The commands that make these results again.
    pub again: Vec<String>,
    /// Runs by environment.
    pub runs: BTreeMap<String, usize>,
    /// Versions of what they were made on, each once.
    pub versions: Versions,
    /// Every file below the folder but this one, by its path.
    pub files: BTreeMap<String, File>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Versions {
    /// Releases of Linux.
    pub kernels: BTreeSet<String>,
    /// Of Xen.
    pub xen: BTreeSet<String>,
    /// Of QEMU, with its accelerator.
    pub qemu: BTreeSet<String>,
    /// Names of the processors.
    pub processors: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct File {
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub fn of(results: &Path, runs: &[Run]) -> Result<Self> {
        let study = Planned::read(results)?;
        let mut files = BTreeMap::new();
        collect(results, results, &mut files)?;
        let mut count = BTreeMap::new();
        for run in runs {
            *count
                .entry(run.id.environment.name().to_owned())
                .or_default() += 1;
        }
        let mut again: Vec<String> = study.iter().map(|study| study.command.clone()).collect();
        again.push("xcap-paper report".into());
        Ok(Self {
            format: FORMAT,
            made_by: format!("xcap-paper {}", env!("CARGO_PKG_VERSION")),
            study,
            again,
            runs: count,
            versions: Versions::of(runs),
            files,
        })
    }
}

impl Versions {
    fn of(runs: &[Run]) -> Self {
        let mut versions = Self::default();
        for run in runs {
            for machine in run.testbed.machines.values() {
                versions.kernels.insert(machine.kernel.clone());
                versions.xen.extend(machine.xen.clone());
                versions.processors.insert(machine.cpu.clone());
            }
            if let Some(lab) = &run.testbed.lab {
                versions
                    .qemu
                    .insert(format!("{}, {}", lab.qemu, lab.accelerator));
            }
        }
        versions
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, File>) -> Result<()> {
    let cannot = |path: &Path| format!("cannot read '{}'", path.display());
    for entry in fs::read_dir(folder).with_context(|| cannot(folder))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path);
        if name == Path::new(NAME) {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| cannot(&path))?;
        let sha256 = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let file = File {
            bytes: bytes.len() as u64,
            sha256,
        };
        files.insert(name.display().to_string(), file);
    }
    Ok(())
}
