// SPDX-License-Identifier: GPL-2.0

//! xcap itself.

use super::armed::{Armed, Reading};
use super::Whose;
use crate::control::{control, Probe};
use crate::kernel_module;
use anyhow::Result;

const NAME: &str = "bench";

pub fn arm(function: &str, backend: &str, whose: Whose) -> Result<Box<dyn Armed>> {
    let probe = Probe::add(function, NAME, backend)?;
    let process = match whose {
        Whose::Everybody => None,
        Whose::Ours => Some(std::process::id()),
        Whose::Anothers => Some(std::os::unix::process::parent_id()),
    };
    if let Some(process) = process {
        control(&format!("only pid {process} {NAME}"))?;
    }
    Ok(Box::new(probe))
}

impl Armed for Probe {
    fn memory_kib(&self) -> Result<u64> {
        kernel_module::size_kib("xcap")
    }

    fn finish(self: Box<Self>) -> Result<Reading> {
        let stage = self.read()?;
        Ok(Reading {
            // What it turned away, it has counted, too.
            count: stage.count + stage.out_of_scope,
            mean: stage.mean,
            corrected: stage.corrected.and_then(|c| c.mean),
        })
    }
}
