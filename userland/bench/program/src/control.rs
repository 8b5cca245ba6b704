// SPDX-License-Identifier: GPL-2.0

//! xcap as it is loaded here.

use anyhow::{bail, Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use xcap_abi::paths::{CONTROL, PROBES, STATS};
use xcap_stats::report::StageReport;
use xcap_stats::{Options, Report};

/// xcap's backends, the reference first.
pub const BACKENDS: [&str; 3] = ["kretprobe", "fprobe", "direct"];

/// Writes one command to `control`.
pub fn control(command: &str) -> Result<()> {
    match fs::write(CONTROL, command) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound && !Path::new(CONTROL).exists() => {
            bail!("{CONTROL} isn't there: load the module (insmod xcap.ko), and be root")
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            bail!("cannot write {CONTROL}: be root")
        }
        Err(e) => Err(e).with_context(|| format!("xcap refused '{command}'; {PROBES} may say why")),
    }
}

pub fn report() -> Result<Report> {
    let stats = xcap_stats::load(STATS.as_ref())?;
    Ok(Report::new(&stats, Options::default()))
}

/// A probe that is deleted when this is dropped.
pub struct Probe {
    name: String,
}

impl Probe {
    pub fn add(function: &str, name: &str, backend: &str) -> Result<Self> {
        control(&format!("add {function} as {name} backend={backend}"))?;
        Ok(Self {
            name: name.to_owned(),
        })
    }

    pub fn read(&self) -> Result<StageReport> {
        let report = report()?;
        let stage = report.stage(&self.name).cloned();
        stage.with_context(|| format!("xcap shows no probe '{}', though it took it", self.name))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Err(e) = control(&format!("del {}", self.name)) {
            eprintln!("xcap-bench: {e:#}");
        }
    }
}
