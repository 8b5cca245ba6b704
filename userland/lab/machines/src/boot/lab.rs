// SPDX-License-Identifier: GPL-2.0

//! A running lab.

use crate::boot::config::Config;
use crate::boot::emulation::Clock;
use crate::boot::logs::Logs;
use crate::boot::machine::{Cable, Hardware, Machine, Software};
use crate::build::guest_image::{self, DOMU_MAC, RECEIVER_MAC, SENDER_MAC, SENDER_NIC};
use crate::cache::Lock;
use crate::materials::Materials;
use crate::place::Place;
use crate::progress::step;
use crate::talk::guest::{Guest, Output, Running};
use crate::talk::link::{JobEvent, Link, LogSink};
use anyhow::{anyhow, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;
use xcap_guest::protocol::{Request, Stream};

/// Longer than the slowest start seen, on a machine that has other things to do.
const START: Duration = Duration::from_secs(180);

/// How many labs this process has started.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Finished runs whose logs are kept.
const KEPT_RUNS: usize = 8;

/// Machines that end with this value, or with the process.
pub struct Lab {
    guests: BTreeMap<Place, Guest>,
    machines: Vec<Machine>,
    logs: Logs,
    _lock: Lock,
}

impl Lab {
    /// Starts the machines that `config` names and waits until every guest is set up.
    pub fn boot(materials: &Materials, config: &Config) -> Result<Self> {
        let names: Vec<&str> = config.guests.iter().map(|place| place.name()).collect();
        let booting = step(format!("starting {}", names.join(", ")));
        let mut lab = Self::new(materials)?;
        match lab.start(materials, config) {
            Ok(()) => {
                booting.done();
                Ok(lab)
            }
            Err(e) => Err(lab.explain(e)),
        }
    }

    fn new(materials: &Materials) -> Result<Self> {
        let runs = materials.cache.path("runs");
        fs::create_dir_all(&runs)?;
        let _turn = materials.cache.lock("runs")?;
        prune(materials, &runs)?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        // One process may start several in the same millisecond.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}", now.as_millis(), std::process::id());
        let lock = materials.cache.lock(&format!("runs/{name}"))?;
        let folder = runs.join(&name);
        fs::create_dir(&folder)?;
        Ok(Self {
            guests: BTreeMap::new(),
            machines: Vec::new(),
            logs: Logs::new(folder),
            _lock: lock,
        })
    }

    fn start(&mut self, materials: &Materials, config: &Config) -> Result<()> {
        let (one_end, other_end) = if config.has(Place::Sender) {
            let (a, b) = UnixStream::pair()?;
            (Cable::To(a), Some(Cable::To(b)))
        } else {
            (Cable::Unplugged, None)
        };
        let images = self.logs.folder().join("images");
        fs::create_dir(&images)?;
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
        Ok(fs::remove_dir_all(images)?)
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
        let sender = place == Place::Sender;
        let hardware = Hardware {
            accelerator: config.accelerator,
            clock: Clock::Wall,
            cpus: if sender { 1 } else { config.cpus },
            cpus_in_turn: config.cpus_in_turn,
            cpu: config.cpu.as_deref().filter(|_| !sender),
            memory_mib: if sender { 512 } else { config.memory_mib },
            nic: if sender { SENDER_NIC } else { &config.nic },
            mac: if sender { SENDER_MAC } else { RECEIVER_MAC },
            cable,
            plugin: config.plugin.as_ref().filter(|_| !sender),
        };
        let software = Software {
            kernel: &materials.kernel.image()?,
            initrd: guest_image::write(materials, config, place, None, images)?
                .display()
                .to_string(),
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
        let hardware = Hardware {
            accelerator: config.accelerator,
            clock: Clock::Wall,
            cpus: 2,
            // No domain has two.
            cpus_in_turn: false,
            cpu: None,
            memory_mib: 1024 + 768 + config.domu_memory_mib,
            nic: &config.nic,
            mac: RECEIVER_MAC,
            cable,
            plugin: config.plugin.as_ref(),
        };
        let software = Software {
            kernel: &materials.xen()?,
            initrd: format!(
                "{} {},{}",
                materials.kernel.image()?.display(),
                guest_image::append(Place::Dom0, config),
                initramfs.display()
            ),
            append: "console=com1 com1=115200,8n1 dom0_mem=768M,max:768M dom0_max_vcpus=1 dom0_vcpus_pin \
                     loglvl=warning guest_loglvl=warning"
                .to_owned(),
        };
        self.add_machine(materials, Place::Dom0, hardware, &software)
    }

    fn add_machine(
        &mut self,
        materials: &Materials,
        place: Place,
        hardware: Hardware,
        software: &Software,
    ) -> Result<()> {
        let console = self.logs.console(place.name());
        let kernel = materials.kernel.root.path().to_owned();
        let boot = software
            .kernel
            .parent()
            .unwrap_or(software.kernel)
            .to_owned();
        let folders = [self.logs.folder().to_owned(), kernel, boot];
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
        let (input, events) = running.into_events();
        let (sender, bytes) = channel();
        let mut said = fs::File::create(self.logs.folder().join("xl.log"))?;
        std::thread::spawn(move || {
            for event in events {
                match event {
                    JobEvent::Output(Stream::Stdout, data) => drop(sender.send(data)),
                    JobEvent::Output(Stream::Stderr, data) => drop(said.write_all(&data)),
                    JobEvent::Ended(_) => return,
                }
            }
        });
        let reader = Chunks {
            bytes,
            rest: Vec::new(),
        };
        let link = Link::new(Place::DomU.name(), reader, input, self.sink(Place::DomU)?);
        Ok(Guest::new(link))
    }

    fn sink(&self, place: Place) -> Result<LogSink> {
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
        let outcome = lab.run_job(materials, config, command);
        match outcome {
            Ok(output) => {
                running.done();
                Ok(output)
            }
            Err(e) => Err(lab.explain(e)),
        }
    }

    fn run_job(
        &mut self,
        materials: &Materials,
        config: &Config,
        command: &[String],
    ) -> Result<Output> {
        let images = self.logs.folder().join("images");
        fs::create_dir(&images)?;
        let initramfs = guest_image::write(materials, config, Place::Bare, Some(command), &images)?;
        let hardware = Hardware {
            accelerator: config.accelerator,
            clock: Clock::Instructions,
            cpus: 1,
            cpus_in_turn: true,
            cpu: config.cpu.as_deref(),
            memory_mib: config.memory_mib,
            nic: &config.nic,
            mac: RECEIVER_MAC,
            cable: Cable::Unplugged,
            plugin: config.plugin.as_ref(),
        };
        let software = Software {
            kernel: &materials.kernel.image()?,
            initrd: initramfs.display().to_string(),
            append: guest_image::append(Place::Bare, config),
        };
        self.add_machine(materials, Place::Bare, hardware, &software)?;
        let link = self.guest(Place::Bare).link().clone();
        let events = link.lone_job();
        let output = Running::new(link, 0, command.join(" "), events).wait(Duration::MAX / 4)?;
        fs::remove_dir_all(images)?;
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

    pub fn has(&self, place: Place) -> bool {
        self.guests.contains_key(&place)
    }

    pub fn guests(&self) -> impl Iterator<Item = (Place, &Guest)> {
        self.guests.iter().map(|(&place, guest)| (place, guest))
    }

    /// Place frames are captured.
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
            Place::DomU => DOMU_MAC,
            _ => RECEIVER_MAC,
        }
    }

    /// Whether a guest has ended, as one does that panics.
    pub fn has_lost_a_guest(&self) -> bool {
        self.guests.values().any(|guest| guest.link().is_closed())
    }

    pub fn logs(&self) -> &Logs {
        &self.logs
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

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.logs.folder().join("images"));
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

/// Removes what runs that have ended left behind, but for the latest logs.
fn prune(materials: &Materials, runs: &Path) -> Result<()> {
    let mut ended: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(runs)? {
        let path = entry?.path();
        if path.is_dir()
            && materials
                .cache
                .try_lock(&format!("runs/{}", file_name(&path)))?
                .is_some()
        {
            crate::cache::remove(&path.join("images"))?;
            ended.push(path);
        }
    }
    ended.sort();
    let surplus = ended.len().saturating_sub(KEPT_RUNS);
    for path in &ended[..surplus] {
        crate::cache::remove(path)?;
        fs::remove_file(runs.join(format!("{}.lock", file_name(path))))?;
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Chunks from a channel, as a stream.
struct Chunks {
    bytes: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            match self.bytes.recv() {
                Ok(bytes) => self.rest = bytes,
                Err(_) => return Ok(0),
            }
        }
        let n = buffer.len().min(self.rest.len());
        buffer[..n].copy_from_slice(&self.rest[..n]);
        self.rest.drain(..n);
        Ok(n)
    }
}
