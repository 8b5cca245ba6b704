// SPDX-License-Identifier: GPL-2.0

//! A virtual machine: one QEMU, in the sandbox of the root that holds it.

use crate::boot::hardware::{Cable, Hardware, Software};
use crate::boot::qemu;
use crate::boot::spawner;
use crate::config::emulation::{Accelerator, Clock};
use crate::place::Place;
use crate::provide::root::{Root, Sandbox};
use anyhow::{bail, Result};
use nix::fcntl::{fcntl, FcntlArg, FdFlag};
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
        let sandbox = sandbox(root, folders, &hardware)?;
        let mut command = sandbox.command("qemu-system-x86_64");
        command.args(qemu::arguments(
            &hardware,
            software,
            &console,
            agent.as_raw_fd(),
        ));
        let said = File::create(said_file(&console))?;
        command.stdin(Stdio::null());
        command.stdout(said.try_clone()?).stderr(said);
        let passed: Vec<BorrowedFd> = [agent.as_fd()]
            .into_iter()
            .chain(hardware.cable.descriptor())
            .collect();
        let child = spawn_with(command, &passed)?;
        let machine = Self {
            child,
            place,
            console,
        };
        Ok((machine, ours))
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
        let said = fs::read_to_string(said_file(&self.console)).unwrap_or_default();
        if !status.success() {
            bail!("QEMU failed ({status}): {}", said.trim());
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail where QEMU has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file with what QEMU itself says.
fn said_file(console: &Path) -> PathBuf {
    console.with_extension("qemu")
}

/// What QEMU sees of the host: `folders`, and what its hardware takes.
fn sandbox(root: &Root, folders: &[PathBuf], hardware: &Hardware) -> Result<Sandbox> {
    let mut sandbox = root.sandbox();
    for folder in folders {
        sandbox = sandbox.bind(folder);
    }
    if let Cable::Wire(plugged) = &hardware.cable {
        sandbox = plugged.bound(sandbox);
    }
    if (hardware.clock, hardware.accelerator) == (Clock::Wall, Accelerator::Kvm) {
        sandbox = sandbox.bind_device("/dev/kvm");
    }
    // What is written to any of these goes to memory: QEMU takes /tmp for /var/tmp.
    if let Some(disk) = hardware.disk {
        sandbox = sandbox.bind_ro(disk).env("TMPDIR", "/run");
    }
    if let Some(firmware) = hardware.firmware {
        sandbox = sandbox.bind_ro(&firmware.code).bind_ro(&firmware.variables);
        sandbox = sandbox.env("TMPDIR", "/run");
    }
    match hardware.plugin {
        Some(plugin) => plugin.bound(sandbox),
        None => Ok(sandbox),
    }
}

/// Starts `command`, which inherits the descriptors `passed`.
fn spawn_with(mut command: Command, passed: &[BorrowedFd]) -> Result<Child> {
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
    spawner::spawn(command)
}
