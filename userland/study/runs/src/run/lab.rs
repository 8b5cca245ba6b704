// SPDX-License-Identifier: GPL-2.0

//! The lab as the study's machines.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use xcap_machines::boot::config::{Copy, DomUType};
use xcap_machines::boot::emulation::Accelerator;
use xcap_machines::{Config, Materials, Place, Running};

use super::session::{arguments, Recording, BEGUN};
use crate::environment;
use crate::part::Task;
use crate::run_id::Environment;

/// Longer than any run.
const PATIENCE: Duration = Duration::from_secs(240);

const PROGRAM: &str = "/usr/bin/xcap-paper";

/// Nobody's address: every machine on the cable gets the frames.
const EVERYBODY: &str = "ff:ff:ff:ff:ff:ff";

/// What the lab is made of.
pub struct Makings {
    materials: Materials,
    accelerator: Accelerator,
    qemu: String,
}

impl Makings {
    pub fn prepare() -> Result<Self> {
        check_static(&std::env::current_exe()?)?;
        let materials = Materials::prepare(None)?;
        let mut command = materials.machine.sandbox().command("qemu-system-x86_64");
        let version = command
            .arg("--version")
            .output()
            .context("cannot run QEMU")?;
        let version = String::from_utf8_lossy(&version.stdout);
        let qemu = version.lines().next().unwrap_or_default();
        Ok(Self {
            qemu: qemu.trim_start_matches("QEMU emulator version ").to_owned(),
            materials,
            accelerator: Accelerator::detect(),
        })
    }

    pub fn description(&self) -> environment::Lab {
        let accelerator = match self.accelerator {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        };
        environment::Lab {
            qemu: self.qemu.clone(),
            accelerator: accelerator.into(),
        }
    }

    pub fn boot(&self, environment: Environment) -> Result<Lab> {
        let mut config = match environment {
            Environment::Native => Config::bare(),
            _ => Config::xen(),
        };
        if environment == Environment::XenPvh {
            config.domu = DomUType::Pvh;
        }
        // As many as dom0 and the domU have each: natively one does the work of both.
        config.cpus = 1;
        config.accelerator = self.accelerator;
        config.copies.push(Copy {
            from: std::env::current_exe()?,
            to: PROGRAM.into(),
        });
        let lab = xcap_machines::Lab::boot(&self.materials, &config)?;
        Ok(Lab { lab, environment })
    }
}

/// Guests have this very program, and no loader of shared libraries.
fn check_static(program: &Path) -> Result<()> {
    let mut start = [0; 4096];
    let read = File::open(program)?.read(&mut start)?;
    let loader = b"/ld-linux-x86-64.so";
    if start[..read]
        .windows(loader.len())
        .any(|bytes| bytes == loader)
    {
        bail!(
            "'{}' isn't static and can't run in the lab's guests: `make paper` builds one that can",
            program.display()
        );
    }
    Ok(())
}

/// A lab that is up.
pub struct Lab {
    lab: xcap_machines::Lab,
    environment: Environment,
}

impl Lab {
    pub fn roles(&self) -> Vec<&'static str> {
        self.environment
            .domains()
            .iter()
            .map(|domain| domain.name())
            .collect()
    }

    pub fn record(&self, role: &str, task: Task) -> Result<Box<dyn Recording>> {
        let place = match role {
            "dom0" => Place::Dom0,
            "domU" => Place::DomU,
            "bare" => Place::Bare,
            _ => Place::Sender,
        };
        let mut command = vec![PROGRAM.to_owned()];
        command.extend(arguments(role, "eth0", EVERYBODY, task));
        Ok(Box::new(InGuest(self.lab.guest(place).spawn(&command)?)))
    }

    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        self.lab.explain(error)
    }

    pub fn check(&self) -> Result<()> {
        self.lab.logs().check()
    }
}

struct InGuest(Running);

impl Recording for InGuest {
    fn begun(&mut self) -> Result<()> {
        self.0.wait_for_line(BEGUN, PATIENCE).map(drop)
    }

    fn over(&mut self) -> Result<()> {
        self.0.close_stdin()
    }

    fn part(self: Box<Self>) -> Result<Vec<u8>> {
        let output = self.0.wait(PATIENCE)?;
        let part = output.stdout.clone();
        output.ok("xcap-paper record")?;
        Ok(part)
    }
}
