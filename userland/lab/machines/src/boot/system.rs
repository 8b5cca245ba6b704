// SPDX-License-Identifier: GPL-2.0

//! Machines that start as people's do: from a disk, by the initramfs and the init of the system on it.

use crate::boot::domu;
use crate::boot::hardware::{xen_command_line, Cable, Hardware, Software};
use crate::boot::lab::{Lab, START};
use crate::config::Config;
use crate::materials::Materials;
use crate::place::Place;
use crate::progress::step;
use crate::talk::guest::Guest;
use crate::talk::link::Link;
use crate::talk::running::Running;
use anyhow::Result;
use std::path::PathBuf;

/// Where the lab's agent is in a system whose init isn't the lab's.
pub const AGENT: &str = "/usr/local/lib/lab-agent";

/// Its services: one that starts with the system, and one for Xen's guests, in which [`guest_append`] starts it.
pub const SERVICE: (&str, &str) = (
    "lab-agent.service",
    include_str!("../../guest/agent.service"),
);
pub const CONSOLE_SERVICE: (&str, &str) = (
    "lab-agent-console.service",
    include_str!("../../guest/agent-console.service"),
);

/// A busy host's emulator takes minutes for what systemd gives a minute and a half.
const PATIENT: &str = "systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900 oops=panic panic=-1";

/// On the command line of a guest of Xen whose console is to be the agent's.
pub fn guest_append() -> String {
    format!(
        "quiet systemd.show_status=no systemd.log_target=journal systemd.wants=lab-agent-console.service \
         systemd.mask=serial-getty@hvc0.service {PATIENT}"
    )
}

/// A system that is installed.
pub struct System {
    /// Raw, a file system. Under Xen the machine has it twice, the second for a guest.
    pub disk: PathBuf,
    pub kernel: PathBuf,
    pub initramfs: PathBuf,
    /// Where it is a dom0.
    pub xen: Option<PathBuf>,
}

impl System {
    pub fn place(&self) -> Place {
        match self.xen {
            Some(_) => Place::Dom0,
            None => Place::Bare,
        }
    }
}

impl Lab {
    /// Starts `system`, and waits until its agent answers.
    pub fn boot_system(materials: &Materials, config: &Config, system: &System) -> Result<Self> {
        let starting = step(format!("starting {} from a disk", system.place()));
        let mut lab = Self::new(materials)?;
        let config = Config {
            disk: Some(system.disk.clone()),
            ..config.clone()
        };
        match lab.start_system(materials, &config, system) {
            Ok(()) => {
                starting.done();
                Ok(lab)
            }
            Err(e) => Err(lab.explain(e)),
        }
    }

    fn start_system(
        &mut self,
        materials: &Materials,
        config: &Config,
        system: &System,
    ) -> Result<()> {
        let place = system.place();
        let root = format!("root=/dev/vda rw {PATIENT} {}", config.append);
        let initramfs = system.initramfs.display();
        let (hardware, software) = match &system.xen {
            Some(xen) => (
                Hardware::of_xen(config, Cable::Unplugged),
                Software {
                    kernel: xen,
                    initrd: format!(
                        "{} console=hvc0 tsc=reliable {root},{initramfs}",
                        system.kernel.display()
                    ),
                    append: xen_command_line(config.clock),
                },
            ),
            None => (
                Hardware::of_linux(config, place, Cable::Unplugged),
                Software {
                    kernel: &system.kernel,
                    initrd: initramfs.to_string(),
                    append: format!("console=ttyS0 no_timer_check {root}"),
                },
            ),
        };
        self.add_machine(materials, place, hardware, &software)?;
        self.guest(place).link().wait_ready(START)
    }

    /// The agent of a guest of dom0's, on the console that `running` carries, with [`guest_append`].
    pub fn meet_guest(&mut self, running: Running) -> Result<()> {
        let (output, input) = domu::console(running, &self.logs().folder().join("xl.log"))?;
        let link = Link::new(Place::DomU.name(), output, input, self.sink(Place::DomU)?);
        link.wait_ready(START)?;
        self.add_guest(Place::DomU, Guest::new(link));
        Ok(())
    }
}
