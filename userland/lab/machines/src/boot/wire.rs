// SPDX-License-Identifier: GPL-2.0

//! The sender inside the emulator: frames on the receiving card's wire, each at its moment of the receiver's clock.

use crate::provide::root::Sandbox;
use anyhow::{bail, Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use xcap_wire::{Offer, Offered};

/// The plugin's file, beside the tools.
pub const PLUGIN: &str = "libxcap_wire_qemu.so";

/// Longer than any offer takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// The emulator's end.
pub struct Plugged {
    pub plugin: PathBuf,
    pub control: UnixStream,
}

impl Plugged {
    /// What it needs of the host's files.
    pub fn bound(&self, sandbox: Sandbox) -> Sandbox {
        sandbox.bind_ro(&self.plugin)
    }

    /// The value of QEMU's option `-plugin`.
    pub fn option(&self) -> String {
        // A comma ends a word there, and two are one.
        let plugin = self.plugin.display().to_string().replace(',', ",,");
        format!("{plugin},control={}", self.control.as_raw_fd())
    }
}

/// The lab's end.
pub struct Wire(Mutex<BufReader<UnixStream>>);

impl Wire {
    /// Both ends.
    pub fn new(plugin: PathBuf) -> Result<(Self, Plugged)> {
        let (ours, control) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PATIENCE))?;
        let wire = Self(Mutex::new(BufReader::new(ours)));
        Ok((wire, Plugged { plugin, control }))
    }

    /// Puts frames on the wire, and returns when the offer is over.
    pub fn offer(&self, offer: &Offer) -> Result<Offered> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{offer}\n");
        let lost = "the sender in the emulator doesn't answer";
        stream.get_mut().write_all(line.as_bytes()).context(lost)?;
        let mut answer = String::new();
        if stream.read_line(&mut answer).context(lost)? == 0 {
            bail!("{lost}: it has ended");
        }
        answer.parse().map_err(anyhow::Error::msg)
    }
}
