// SPDX-License-Identifier: GPL-2.0

//! A running lab.

use crate::boot::domu;
use crate::boot::fitted::fitted;
use crate::boot::hardware::{xen_command_line, Cable, Hardware, Software};
use crate::boot::logs::Logs;
use crate::boot::machine::Machine;
use crate::boot::run_folder::RunFolder;
use crate::boot::wire::{self, Wire};
use crate::config::emulation::Clock;
use crate::config::Config;
use crate::image::guest as guest_image;
use crate::materials::Materials;
use crate::place::Place;
use crate::progress::step;
use crate::talk::guest::Guest;
use crate::talk::link::{Link, LogSink};
use crate::talk::output::Output;
use crate::talk::running::Running;
use anyhow::{anyhow, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use xcap_guest::protocol::Request;

/// Longer than the slowest start seen. On a host with four other emulators and compilers, Xen on the clock of
/// instructions was not up after 180 s: a ninth of a CPU had been its share. A machine that ends is noticed at once.
pub(super) const START: Duration = Duration::from_secs(360);

/// What counts instructions can't be hurried.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Machines that end with this value, or with the process.
pub struct Lab {
    guests: BTreeMap<Place, Guest>,
    machines: Vec<Machine>,
    logs: Logs,
    folder: RunFolder,
    wire: Option<Wire>,
}

impl Lab {
    /// Starts the machines that `config` names and waits until every guest is set up.
    ///
    /// A machine whose kernel never said a word hung in the emulator, as one in some forty does on a
    /// busy host: all are started once more then.
    pub fn boot(materials: &Materials, config: &Config) -> Result<Self> {
        let names: Vec<&str> = config.guests.iter().map(|place| place.name()).collect();
        let booting = step(format!("starting {}", names.join(", ")));
        let mut lab = Self::new(materials)?;
        let mut started = lab.start(materials, config);
        if started.is_err() && lab.has_a_silent_machine() {
            eprintln!("xcap-lab: a machine said nothing in {START:?}: starting anew");
            lab = Self::new(materials)?;
            started = lab.start(materials, config);
        }
        match started {
            Ok(()) => {
                booting.done();
                Ok(lab)
            }
            Err(e) => Err(lab.explain(e)),
        }
    }

    fn has_a_silent_machine(&self) -> bool {
        let is_empty = |name: String| {
            std::fs::metadata(self.logs.folder().join(name)).map_or(true, |file| file.len() == 0)
        };
        self.machines.iter().any(|machine| {
            let place = machine.place;
            is_empty(format!("{place}.console.log")) && is_empty(format!("{place}.kernel.log"))
        })
    }

    pub(super) fn new(materials: &Materials) -> Result<Self> {
        let folder = RunFolder::new(&materials.cache)?;
        Ok(Self {
            guests: BTreeMap::new(),
            machines: Vec::new(),
            logs: Logs::new(folder.path().to_owned()),
            folder,
            wire: None,
        })
    }

    fn start(&mut self, materials: &Materials, config: &Config) -> Result<()> {
        let config = &fitted(config, &materials.kernel.config()?);
        let (one_end, other_end) = self.cable(materials, config)?;
        let images = self.folder.make_images()?;
        if config.has_xen() {
            self.start_xen(materials, config, &images, one_end)?;
        } else if config.has(Place::Bare) {
            self.start_linux(materials, config, Place::Bare, &images, one_end)?;
        }
        if let Some(end) = other_end {
            self.start_linux(materials, config, Place::Sender, &images, end)?;
        }
        self.in_all(set_up)?;
        if config.has(Place::DomU) {
            let domu = self.start_domu()?;
            set_up(&domu)?;
            self.guests.insert(Place::DomU, domu);
        }
        self.in_all(|guest| {
            let settled = guest.run(&["/lab/settle"])?;
            settled
                .ok(&format!("waiting for the carrier in {}", guest.name()))
                .map(drop)
        })?;
        self.folder.remove_images()
    }

    /// The receiver's end of the cable, and the sending machine's, if there is one.
    fn cable(&mut self, materials: &Materials, config: &Config) -> Result<(Cable, Option<Cable>)> {
        if !config.has(Place::Sender) {
            return Ok((Cable::Unplugged, None));
        }
        if config.clock == Clock::Instructions {
            let (wire, plugged) = Wire::new(materials.program(wire::PLUGIN)?)?;
            self.wire = Some(wire);
            return Ok((Cable::Wire(plugged), None));
        }
        let (a, b) = UnixStream::pair()?;
        Ok((Cable::To(a), Some(Cable::To(b))))
    }

    /// Does the same in every guest, at once.
    fn in_all(&self, act: impl Fn(&Guest) -> Result<()> + Sync) -> Result<()> {
        std::thread::scope(|scope| {
            let all: Vec<_> = self
                .guests
                .values()
                .map(|guest| scope.spawn(|| act(guest)))
                .collect();
            let mut results = all
                .into_iter()
                .map(|one| one.join().expect("it doesn't panic"));
            results.find(Result::is_err).unwrap_or(Ok(()))
        })
    }

    fn start_linux(
        &mut self,
        materials: &Materials,
        config: &Config,
        place: Place,
        images: &Path,
        cable: Cable,
    ) -> Result<()> {
        let initramfs = guest_image::write(materials, config, place, None, images)?;
        let hardware = Hardware::of_linux(config, place, cable);
        let software = Software {
            kernel: &match hardware.firmware {
                Some(firmware) => firmware.kernel.clone(),
                None => materials.kernel.image()?,
            },
            initrd: initramfs.display().to_string(),
            append: guest_image::append(place, config),
        };
        self.add_machine(materials, place, hardware, &software)
    }

    fn start_xen(
        &mut self,
        materials: &Materials,
        config: &Config,
        images: &Path,
        cable: Cable,
    ) -> Result<()> {
        let initramfs = guest_image::write(materials, config, Place::Dom0, None, images)?;
        let software = Software {
            kernel: &materials.xen()?,
            initrd: format!(
                "{} {},{}",
                materials.kernel.image()?.display(),
                guest_image::append(Place::Dom0, config),
                initramfs.display()
            ),
            append: xen_command_line(config.clock),
        };
        let hardware = Hardware::of_xen(config, cable);
        self.add_machine(materials, Place::Dom0, hardware, &software)
    }

    pub(super) fn add_machine(
        &mut self,
        materials: &Materials,
        place: Place,
        hardware: Hardware,
        software: &Software,
    ) -> Result<()> {
        let console = self.logs.console(place.name());
        let kernel = materials.kernel.root.path().to_owned();
        // Under Xen the kernel is not what is booted; it is beside neither.
        let image = materials.kernel.image()?;
        let boot = [software.kernel, &image].map(|file| file.parent().unwrap_or(file).to_owned());
        let folders = [&[self.logs.folder().to_owned(), kernel], &boot[..]].concat();
        let (machine, port) = Machine::start(
            &materials.machine,
            &folders,
            place,
            console,
            hardware,
            software,
        )?;
        self.machines.push(machine);
        let link = Link::new(place.name(), port.try_clone()?, port, self.sink(place)?);
        self.guests.insert(place, Guest::new(link));
        Ok(())
    }

    /// The domU's agent is reached over its console, which a command in dom0 carries.
    fn start_domu(&self) -> Result<Guest> {
        let running = self.guest(Place::Dom0).spawn(&["/lab/domU-start"])?;
        let (output, input) = domu::console(running, &self.folder.path().join("xl.log"))?;
        let link = Link::new(Place::DomU.name(), output, input, self.sink(Place::DomU)?);
        Ok(Guest::new(link))
    }

    pub(super) fn add_guest(&mut self, place: Place, guest: Guest) {
        self.guests.insert(place, guest);
    }

    pub(super) fn sink(&self, place: Place) -> Result<LogSink> {
        let mut file = fs::File::create(self.logs.kernel(place.name()))?;
        Ok(Box::new(move |line| {
            // A full disk must not end the lab: what can't be logged is lost.
            let _ = writeln!(file, "{line}");
        }))
    }

    /// Runs one command on a bare machine whose clock counts instructions: its figures are the same in every run.
    pub fn run_deterministic(
        materials: &Materials,
        config: &Config,
        command: &[String],
    ) -> Result<Output> {
        let running = step("running on the deterministic machine");
        let mut lab = Self::new(materials)?;
        let config = &fitted(config, &materials.kernel.config()?);
        let hardware = Hardware::deterministic(config);
        let outcome = lab.run_job(materials, config, hardware, command, FOR_EVER);
        match outcome {
            Ok(output) => {
                running.done();
                Ok(output)
            }
            Err(e) => Err(lab.explain(e)),
        }
    }

    /// A bare machine for one command, whose agent says nothing before that has ended: for one that what the agent
    /// speaks on doesn't outlive.
    pub fn for_job(materials: &Materials) -> Result<Self> {
        Self::new(materials)
    }

    /// Runs the one command.
    pub fn run_silently(
        &mut self,
        materials: &Materials,
        config: &Config,
        command: &[String],
        longest: Duration,
    ) -> Result<Output> {
        let config = &fitted(config, &materials.kernel.config()?);
        let hardware = Hardware::of_linux(config, Place::Bare, Cable::Unplugged);
        self.run_job(materials, config, hardware, command, longest)
    }

    fn run_job(
        &mut self,
        materials: &Materials,
        config: &Config,
        hardware: Hardware,
        command: &[String],
        longest: Duration,
    ) -> Result<Output> {
        let images = self.folder.make_images()?;
        let initramfs = guest_image::write(materials, config, Place::Bare, Some(command), &images)?;
        let software = Software {
            kernel: &materials.kernel.image()?,
            initrd: initramfs.display().to_string(),
            append: guest_image::append(Place::Bare, config),
        };
        self.add_machine(materials, Place::Bare, hardware, &software)?;
        let link = self.guest(Place::Bare).link().clone();
        let events = link.lone_job();
        let output = Running::new(link, 0, command.join(" "), events).wait(longest)?;
        self.folder.remove_images()?;
        Ok(output)
    }

    /// A guest that the lab was started with.
    ///
    /// # Panics
    ///
    /// When the lab has no such guest.
    pub fn guest(&self, place: Place) -> &Guest {
        match self.guests.get(&place) {
            Some(guest) => guest,
            None => panic!("this lab has no {place}"),
        }
    }

    /// The sender inside the emulator, where the receiver has a clock of instructions.
    pub fn wire(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    pub fn has(&self, place: Place) -> bool {
        self.guests.contains_key(&place)
    }

    pub fn guests(&self) -> impl Iterator<Item = (Place, &Guest)> {
        self.guests.iter().map(|(&place, guest)| (place, guest))
    }

    /// Where frames are captured.
    pub fn capturing_place(&self) -> Place {
        if self.has(Place::DomU) {
            Place::DomU
        } else {
            Place::Bare
        }
    }

    /// The address that frames are sent to, to be captured.
    pub fn destination(&self) -> &'static str {
        match self.capturing_place() {
            Place::DomU => guest_image::DOMU_MAC,
            _ => guest_image::RECEIVER_MAC,
        }
    }

    /// Whether a guest has ended, as one does that panics.
    pub fn has_lost_a_guest(&self) -> bool {
        self.guests.values().any(|guest| guest.link().is_closed())
    }

    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// What came of a lab's work: no good, where a log tells of an oops, a warning or a splat. Errors are explained.
    pub fn judged(&mut self, outcome: Result<()>) -> Result<()> {
        outcome
            .and_then(|()| self.logs.check())
            .map_err(|e| self.explain(e))
    }

    /// Adds to an error what the guests said last, and where all of it is.
    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let mut text = format!("{error:#}\n");
        for machine in &mut self.machines {
            let closed = self
                .guests
                .get(&machine.place)
                .is_some_and(|g| g.link().is_closed());
            if let Err(e) = machine.check(closed) {
                text.push_str(&format!("{e:#}\n"));
            }
        }
        for (place, guest) in &self.guests {
            if guest.link().is_closed() || text.contains(place.name()) {
                text.push_str(&self.logs.tail(place.name()));
            }
        }
        anyhow!("{text}full logs: {}", self.logs.folder().display())
    }
}

fn set_up(guest: &Guest) -> Result<()> {
    // A guest that was up before the line was has said so to nobody.
    if guest.name() == Place::DomU.name() {
        guest.link().send(&Request::Hello)?;
    }
    guest.link().wait_ready(START)?;
    let output = guest.run(&["/lab/setup"])?;
    output.ok(&format!("setting up {}", guest.name())).map(drop)
}
