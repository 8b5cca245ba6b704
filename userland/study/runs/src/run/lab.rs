// SPDX-License-Identifier: GPL-2.0

//! The lab's machines.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, Context, Result};
use xcap_machines::config::emulation::Accelerator;
use xcap_machines::config::{Copy, DomUType};
use xcap_machines::{Config, Lab, Materials, Place, Running};

use super::recording::{Machines, Recording, Source};
use crate::part::Task;
use crate::record::{arguments, BEGUN, MARKS};
use crate::role::Role;
use crate::run_id::{Domain, Environment};
use crate::testbed::Emulator;

/// Longer than any run.
const PATIENCE: Duration = Duration::from_secs(240);

/// Where guests have the recorder.
const RECORDER: &str = "/usr/bin/xcap-recorder";

/// Labs with this very program as the recorder in their guests.
pub struct LabSource {
    materials: Materials,
    accelerator: Accelerator,
    qemu: String,
    recorder: Copy,
}

impl LabSource {
    pub fn prepare() -> Result<Self> {
        let recorder = recorder(std::env::current_exe()?)?;
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
            recorder,
        })
    }
}

impl Source for LabSource {
    fn start(&mut self, environment: Environment) -> Result<Box<dyn Machines>> {
        let mut config = match environment {
            Environment::Native => Config::bare(),
            Environment::XenPv => Config::xen(),
            Environment::XenPvh => Config {
                domu: DomUType::Pvh,
                ..Config::xen()
            },
            Environment::XenHvm => bail!("the lab has no fully virtual guests"),
        };
        // As many as dom0 and the domU have each: natively one does the work of both.
        config.cpus = 1;
        config.accelerator = self.accelerator;
        config.copies.push(self.recorder.clone());
        Ok(Box::new(Lab::boot(&self.materials, &config)?))
    }

    fn attempts(&self) -> u32 {
        3
    }

    fn emulator(&self) -> Option<Emulator> {
        let accelerator = match self.accelerator {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        };
        Some(Emulator {
            qemu: self.qemu.clone(),
            accelerator: accelerator.into(),
        })
    }
}

/// A program with the command `record`, for every guest of a lab that makes runs.
pub fn recorder(program: PathBuf) -> Result<Copy> {
    check_static(&program)?;
    Ok(Copy {
        from: program,
        to: RECORDER.into(),
    })
}

/// Guests have no loader of shared libraries.
fn check_static(program: &Path) -> Result<()> {
    let mut start = [0; 4096];
    let read = File::open(program)?.read(&mut start)?;
    let loader = b"/ld-linux-x86-64.so";
    if start[..read]
        .windows(loader.len())
        .any(|bytes| bytes == loader)
    {
        bail!(
            "'{}' isn't static and can't run in the lab's guests: `make demo` and `make paper` build what can",
            program.display()
        );
    }
    Ok(())
}

impl Machines for Lab {
    fn roles(&self) -> Vec<Role> {
        let places = self.guests().map(|(place, _)| role(place));
        places.filter(|role| *role != Role::Sender).collect()
    }

    fn record(&self, role: Role, task: Task) -> Result<Box<dyn Recording>> {
        in_guest(self, role, task, None)
    }

    fn record_marks(&self, role: Role, task: Task) -> Result<Box<dyn Recording>> {
        in_guest(self, role, task, Some(MARKS))
    }

    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        Lab::explain(self, error)
    }

    fn check(&self) -> Result<()> {
        self.logs().check()
    }
}

fn in_guest(lab: &Lab, role: Role, task: Task, option: Option<&str>) -> Result<Box<dyn Recording>> {
    let mut command = vec![RECORDER.to_owned()];
    command.extend(arguments(role, "eth0", lab.destination(), task));
    command.extend(option.map(str::to_owned));
    Ok(Box::new(InGuest(lab.guest(place(role)).spawn(&command)?)))
}

fn role(place: Place) -> Role {
    match place {
        Place::Sender => Role::Sender,
        Place::Dom0 => Role::DOM0,
        Place::DomU => Role::DOMU,
        Place::Bare => Role::BARE,
    }
}

fn place(role: Role) -> Place {
    match role {
        Role::Sender => Place::Sender,
        Role::Measured(Domain::Dom0) => Place::Dom0,
        Role::Measured(Domain::DomU) => Place::DomU,
        Role::Measured(Domain::Bare) => Place::Bare,
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
        output.ok("the recorder")?;
        Ok(part)
    }
}
