// SPDX-License-Identifier: GPL-2.0

//! xcap itself.

use super::armed::{Armed, Reading};
use super::setting::Setting;
use crate::control::{control, Probe};
use crate::kernel_module;
use anyhow::Result;

const NAME: &str = "bench";

pub fn arm(function: &str, backend: &str, setting: Setting) -> Result<Box<dyn Armed>> {
    if setting == Setting::MarksOffAgain {
        control("marks on")?;
        control("marks off")?;
    }
    let probe = Probe::add(function, NAME, backend)?;
    if let Some(process) = setting.process() {
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
            // What it turned away, it has been hit by, too.
            count: stage.count + stage.out_of_scope,
            mean: stage.mean,
            corrected: stage.corrected.and_then(|c| c.mean),
        })
    }
}
