// SPDX-License-Identifier: GPL-2.0

//! The lab's machines.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, Context, Result};
use xcap_machines::config::emulation::{Accelerator, Clock};
use xcap_machines::config::{Copy, DomUType};
use xcap_machines::{Config, Lab, Materials, Place, Running};

use super::recording::{Machines, Recording, Source};
use super::wire;
use crate::part::Task;
use crate::record::{arguments, BEGUN, MARKS};
use crate::role::Role;
use crate::run_id::{Domain, Environment};
use crate::testbed::{Emulator, Unit};

/// Longer than any run.
const PATIENCE: Duration = Duration::from_secs(240);

/// Labs that are up at once, at most: each takes two GiB.
const AT_ONCE: usize = 4;

/// Where guests have the recorder.
const RECORDER: &str = "/usr/bin/xcap-recorder";

/// Labs with this very program as the recorder in their guests.
pub struct LabSource {
    materials: Materials,
    accelerator: Accelerator,
    clock: Clock,
    qemu: String,
    recorder: Copy,
}

impl LabSource {
    /// Makes what is missing for machines with such a clock.
    pub fn prepare(clock: Clock) -> Result<Self> {
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
            accelerator: match clock {
                Clock::Instructions => Accelerator::Tcg,
                Clock::Wall => Accelerator::detect(),
            },
            clock,
            recorder,
        })
    }
}

impl LabSource {
    /// See [`Plan::most_apart`](super::Plan::most_apart).
    pub fn most_apart(clock: Clock, frames: u64) -> Option<u64> {
        (clock == Clock::Instructions).then_some(frames)
    }

    pub fn materials(&self) -> &Materials {
        &self.materials
    }

    /// The machines of an environment, with xcap loaded or without.
    pub fn boot(&self, environment: Environment, load: bool) -> Result<Lab> {
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
        if !load {
            // What else is to be loaded there may be large.
            config.memory_mib = 2048;
        }
        config.accelerator = self.accelerator;
        config.clock = self.clock;
        config.copies.push(self.recorder.clone());
        config.load = load;
        Lab::boot(&self.materials, &config)
    }
}

impl Source for LabSource {
    fn start(&self, environment: Environment) -> Result<Box<dyn Machines>> {
        Ok(Box::new(self.boot(environment, true)?))
    }

    fn at_once(&self) -> usize {
        match self.clock {
            // Each takes one of the host's CPUs, and none is hurried by the others.
            Clock::Instructions => std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(AT_ONCE),
            Clock::Wall => 1,
        }
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
            unit: match self.clock {
                Clock::Instructions => Unit::Instructions,
                Clock::Wall => Unit::Cycles,
            },
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
    if let (Role::Sender, Some(sender)) = (role, lab.wire()) {
        return wire::record(sender, lab.destination(), task);
    }
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

pub(super) fn place(role: Role) -> Place {
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
