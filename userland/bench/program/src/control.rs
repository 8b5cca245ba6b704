// SPDX-License-Identifier: GPL-2.0

//! xcap as it is loaded here.

use anyhow::{bail, Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use xcap_read::report::StageReport;
use xcap_read::{Options, Report};

const FOLDER: &str = "/sys/kernel/debug/xcap";

/// xcap's backends, the reference first.
pub const BACKENDS: [&str; 3] = ["kretprobe", "fprobe", "direct"];

/// Writes one command to `control`.
pub fn control(command: &str) -> Result<()> {
    let path = format!("{FOLDER}/control");
    match fs::write(&path, command) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound && !Path::new(&path).exists() => {
            bail!("{path} isn't there: load the module (insmod xcap.ko), and be root")
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => bail!("cannot write {path}: be root"),
        Err(e) => {
            Err(e).with_context(|| format!("xcap refused '{command}'; {FOLDER}/probes may say why"))
        }
    }
}

pub fn report() -> Result<Report> {
    let stats = xcap_read::load(xcap_read::DEFAULT_PATH.as_ref())?;
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
