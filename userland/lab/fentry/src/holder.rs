// SPDX-License-Identifier: GPL-2.0

//! A function that a BPF fentry program has.

use crate::image::{image, PROGRAM};
use anyhow::{Context, Result};
use aya::programs::FEntry;
use aya::sys::{enable_stats, Stats};
use aya::{Btf, Ebpf, EbpfLoader};
use std::os::fd::OwnedFd;

/// Until dropped.
pub struct Holder {
    bpf: Ebpf,
    /// The kernel counts as long as this is open.
    _stats: OwnedFd,
}

impl Holder {
    pub fn attach(function: &str) -> Result<Self> {
        let stats = enable_stats(Stats::RunTime).context("cannot have BPF programs counted")?;
        let btf = Btf::from_sys_fs().context("cannot read the kernel's BTF")?;
        let mut bpf = EbpfLoader::new().load(&image()?)?;
        let program = program(&mut bpf)?;
        program
            .load(function, &btf)
            .with_context(|| format!("cannot load a fentry program for '{function}'"))?;
        program
            .attach()
            .with_context(|| format!("cannot attach to '{function}'"))?;
        Ok(Self { bpf, _stats: stats })
    }

    /// How often the program ran.
    pub fn runs(&mut self) -> Result<u64> {
        Ok(program(&mut self.bpf)?.info()?.run_count())
    }
}

fn program(bpf: &mut Ebpf) -> Result<&mut FEntry> {
    let program = bpf.program_mut(PROGRAM).context("the program is missing")?;
    Ok(program.try_into()?)
}
