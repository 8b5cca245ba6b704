// SPDX-License-Identifier: GPL-2.0

//! A virtual machine: one QEMU, in the sandbox of the root that holds it.

use crate::boot::emulation::{Accelerator, Clock};
use crate::boot::plugin::Plugin;
use crate::boot::spawner;
use crate::place::Place;
use crate::provide::root::Root;
use anyhow::{bail, Result};
use nix::fcntl::{fcntl, FcntlArg, FdFlag};
use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// One end of a network cable.
pub enum Cable {
    To(UnixStream),
    Unplugged,
}

pub struct Hardware<'a> {
    pub accelerator: Accelerator,
    pub clock: Clock,
    pub cpus: u32,
    /// See [`crate::Config::cpus_in_turn`].
    pub cpus_in_turn: bool,
    pub cpu: Option<&'a str>,
    pub memory_mib: u32,
    pub nic: &'a str,
    pub mac: &'a str,
    pub cable: Cable,
    pub plugin: Option<&'a Plugin>,
}

pub struct Software<'a> {
    pub kernel: &'a Path,
    pub initrd: String,
    pub append: String,
}

pub struct Machine {
    child: Child,
    pub place: Place,
    console: PathBuf,
}

impl Machine {
    /// Starts a machine. Its serial line goes to the file `console`; the stream that is returned is its port for the agent.
    pub fn start(
        root: &Root,
        folders: &[PathBuf],
        place: Place,
        console: PathBuf,
        hardware: Hardware,
        software: &Software,
    ) -> Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let agent = OwnedFd::from(theirs);
        let mut sandbox = root.sandbox();
        for folder in folders {
            sandbox = sandbox.bind(folder);
        }
        let mut arguments: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&w| w.to_owned()));
        add(&[
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-machine",
            "q35",
        ]);
        match (hardware.clock, hardware.accelerator) {
            (Clock::Instructions, _) => add(&[
                "-accel",
                "tcg",
                "-cpu",
                hardware.cpu.unwrap_or("max"),
                "-seed",
                "1",
                "-icount",
                "shift=0,sleep=off",
                "-rtc",
                "base=2026-01-01,clock=vm",
            ]),
            (Clock::Wall, Accelerator::Tcg) => {
                let threads = if hardware.cpus_in_turn {
                    "single"
                } else {
                    "multi"
                };
                let cpu = hardware.cpu.unwrap_or("max");
                add(&["-accel", &format!("tcg,thread={threads}"), "-cpu", cpu]);
            }
            (Clock::Wall, Accelerator::Kvm) => {
                sandbox = sandbox.bind_device("/dev/kvm");
                add(&["-accel", "kvm", "-cpu", hardware.cpu.unwrap_or("host")]);
            }
        }
        add(&[
            "-smp",
            &hardware.cpus.to_string(),
            "-m",
            &hardware.memory_mib.to_string(),
        ]);
        add(&["-serial", &format!("file:{}", console.display())]);
        add(&[
            "-chardev",
            &format!("socket,id=agent,fd={}", agent.as_raw_fd()),
        ]);
        add(&[
            "-device",
            "virtio-serial-pci,romfile=",
            "-device",
            "virtserialport,chardev=agent",
        ]);
        let mut passed = vec![agent];
        let netdev = match hardware.cable {
            Cable::Unplugged => "hubport,id=cable,hubid=0".to_owned(),
            Cable::To(end) => {
                let end = OwnedFd::from(end);
                let fd = end.as_raw_fd();
                passed.push(end);
                format!("stream,id=cable,server=off,addr.type=fd,addr.str={fd}")
            }
        };
        add(&["-netdev", &netdev]);
        let card = format!(
            "{},netdev=cable,mac={},romfile=",
            hardware.nic, hardware.mac
        );
        add(&["-device", &card]);
        if let Some(plugin) = hardware.plugin {
            sandbox = plugin.bound(sandbox)?;
            add(&["-plugin", &plugin.option()]);
        }
        add(&["-kernel", &software.kernel.display().to_string()]);
        add(&["-initrd", &software.initrd, "-append", &software.append]);
        let mut command = sandbox.command("qemu-system-x86_64");
        command.args(arguments);
        let said = fs::File::create(console.with_extension("qemu"))?;
        command.stdin(std::process::Stdio::null());
        command.stdout(said.try_clone()?).stderr(said);
        let fds: Vec<RawFd> = passed.iter().map(AsRawFd::as_raw_fd).collect();
        // SAFETY: fcntl is async-signal-safe, and `passed` keeps the descriptors open until after the spawn.
        unsafe {
            command.pre_exec(move || {
                for &fd in &fds {
                    fcntl(
                        BorrowedFd::borrow_raw(fd),
                        FcntlArg::F_SETFD(FdFlag::empty()),
                    )?;
                }
                Ok(())
            });
        }
        let child = spawner::spawn(command)?;
        drop(passed);
        Ok((
            Self {
                child,
                place,
                console,
            },
            ours,
        ))
    }

    /// An error that holds QEMU's own words, if it has ended with any.
    ///
    /// `ending`: its lines are closed, so that it must end in a moment.
    pub fn check(&mut self, ending: bool) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(if ending { 2 } else { 0 });
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() >= deadline => return Ok(()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let said = fs::read_to_string(self.console.with_extension("qemu")).unwrap_or_default();
        if !status.success() {
            bail!("QEMU failed ({status}): {}", said.trim());
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
