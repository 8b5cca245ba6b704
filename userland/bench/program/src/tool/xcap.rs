// SPDX-License-Identifier: GPL-2.0

//! xcap itself.

use super::armed::{Armed, Reading};
use crate::control::Probe;
use crate::kernel_module;
use anyhow::Result;

pub fn arm(function: &str, backend: &str) -> Result<Box<dyn Armed>> {
    Ok(Box::new(Probe::add(function, "bench", backend)?))
}

impl Armed for Probe {
    fn memory_kib(&self) -> Result<u64> {
        kernel_module::size_kib("xcap")
    }

    fn finish(self: Box<Self>) -> Result<Reading> {
        let stage = self.read()?;
        Ok(Reading {
            count: stage.count,
            mean: stage.mean,
            corrected: stage.corrected.and_then(|c| c.mean),
        })
    }
}
