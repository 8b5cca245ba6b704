// SPDX-License-Identifier: GPL-2.0

//! Where the module is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::host::Host;

/// What the kernel appends to a signed module's file.
const SIGNED: &[u8] = b"~Module signature appended~\n";

/// Folders of a kernel's modules where others than the kernel's own are put.
const FOLDERS: [&str; 5] = ["updates/dkms", "updates", "extra", "kernel/extra", "misc"];

/// What has become of the module on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    Loaded,
    /// A file for the running kernel.
    Installed {
        path: String,
        /// None: packed, so that it is not known.
        signed: Option<bool>,
        /// `modprobe` knows of it.
        indexed: bool,
    },
    /// Only files for these kernels, if any.
    NotBuilt {
        others: Vec<String>,
    },
}

impl Module {
    pub fn of(host: &Host) -> Self {
        if host.exists("/sys/module/xcap") {
            return Self::Loaded;
        }
        let release = host.release();
        if let Some((path, indexed)) = file(host, &release) {
            return Self::Installed {
                signed: is_signed(host, &path),
                path,
                indexed,
            };
        }
        let others = host.names("/lib/modules").into_iter();
        Self::NotBuilt {
            others: others.filter(|other| file(host, other).is_some()).collect(),
        }
    }
}

/// The module's file for a kernel, and whether `modprobe` knows of it.
fn file(host: &Host, release: &str) -> Option<(String, bool)> {
    let folder = format!("/lib/modules/{release}");
    let index = host
        .text(format!("{folder}/modules.dep"))
        .unwrap_or_default();
    let indexed = index.lines().find_map(|line| {
        let path = line.split(':').next()?;
        is_file_of_ours(path).then(|| format!("{folder}/{path}"))
    });
    if let Some(path) = indexed.filter(|path| host.exists(path)) {
        return Some((path, true));
    }
    FOLDERS.iter().find_map(|place| {
        let place = format!("{folder}/{place}");
        let names = host.names(&place).into_iter();
        let found = names
            .map(|name| format!("{place}/{name}"))
            .find(|path| is_file_of_ours(path))?;
        Some((found, false))
    })
}

fn is_file_of_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "xcap.ko" | "xcap.ko.xz" | "xcap.ko.zst" | "xcap.ko.gz"
    )
}

fn is_signed(host: &Host, path: &str) -> Option<bool> {
    if !path.ends_with(".ko") {
        return None;
    }
    let end = |path: &Path| -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-(SIGNED.len() as i64)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(end)
    };
    Some(end(&host.path(path)).ok()? == SIGNED)
}
