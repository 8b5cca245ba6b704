// SPDX-License-Identifier: GPL-2.0

//! A firmware of the bare machine's own, and the kernel that it takes.

use std::path::PathBuf;

/// UEFI; all are in one folder.
#[derive(Clone, Debug)]
pub struct Firmware {
    pub code: PathBuf,
    /// Its variables at first. What is written to them is forgotten with the machine.
    pub variables: PathBuf,
    pub kernel: PathBuf,
}
