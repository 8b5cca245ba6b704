// SPDX-License-Identifier: GPL-2.0

//! Which machines a lab has, and how they are set up.

pub mod emulation;
pub mod firmware;
pub mod plugin;

use crate::place::Place;
use emulation::{Accelerator, Clock};
use firmware::Firmware;
use plugin::Plugin;
use std::path::PathBuf;

/// What kind of guest the domU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DomUType {
    Pv,
    Pvh,
}

/// A file or folder that is put into every guest.
#[derive(Clone, Debug)]
pub struct Copy {
    pub from: PathBuf,
    pub to: String,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Which guests there are. The domU brings dom0 along.
    pub guests: Vec<Place>,
    /// Whether xcap is loaded where frames are received.
    pub load: bool,
    /// The receiving machine's card, as QEMU calls it.
    pub nic: String,
    /// The sender's: any that keeps up will do.
    pub sender_nic: String,
    pub domu: DomUType,
    pub domu_memory_mib: u32,
    pub domu_vcpus: u32,
    /// Of the bare machine.
    pub cpus: u32,
    /// Whether the receiver's CPUs are emulated in turn, not at once.
    ///
    /// For functions that are hooked while another CPU calls them. Emulating CPUs at once, QEMU (10.0
    /// and later) drops the translation of an instruction that is patched before it stores the new
    /// one. Another CPU can translate the old one between the two, and keeps it: so it meets the
    /// breakpoint of a patch that is long done, "Oops: int3", with any user of ftrace.
    pub cpus_in_turn: bool,
    /// Of the bare machine, as QEMU calls it; none: all that the emulator can do, or the host's own.
    pub cpu: Option<String>,
    /// Of the bare machine.
    pub memory_mib: u32,
    /// More words for the kernel's command line, in every guest.
    pub append: String,
    /// Kernel modules loaded at boot in every guest.
    pub modules: Vec<String>,
    pub copies: Vec<Copy>,
    /// A disk of the receiving machine, raw. What is written to it is forgotten with the machine.
    pub disk: Option<PathBuf>,
    /// Of the bare machine; none: QEMU's own, which takes any kernel.
    pub firmware: Option<Firmware>,
    pub accelerator: Accelerator,
    pub clock: Clock,
    /// In the receiving machine, and only where its accelerator is TCG.
    pub plugin: Option<Plugin>,
}

/// The card of all machines, unless told.
pub const CARD: &str = "e1000e";

impl Default for Config {
    fn default() -> Self {
        Self {
            guests: Vec::new(),
            load: true,
            nic: CARD.to_owned(),
            sender_nic: CARD.to_owned(),
            domu: DomUType::Pv,
            domu_memory_mib: 256,
            domu_vcpus: 1,
            cpus: 2,
            cpus_in_turn: false,
            cpu: None,
            memory_mib: 1024,
            append: String::new(),
            modules: Vec::new(),
            copies: Vec::new(),
            disk: None,
            firmware: None,
            accelerator: Accelerator::detect(),
            clock: Clock::Wall,
            plugin: None,
        }
    }
}

impl Config {
    /// The Xen host with its capturing guest, and the sender.
    pub fn xen() -> Self {
        Self::of([Place::Dom0, Place::DomU, Place::Sender])
    }

    /// The same machine without Xen, and the sender.
    pub fn bare() -> Self {
        Self::of([Place::Bare, Place::Sender])
    }

    pub fn of(guests: impl IntoIterator<Item = Place>) -> Self {
        Self {
            guests: guests.into_iter().collect(),
            ..Self::default()
        }
    }

    pub fn has(&self, place: Place) -> bool {
        self.guests.contains(&place)
    }

    pub fn has_xen(&self) -> bool {
        self.has(Place::Dom0) || self.has(Place::DomU)
    }
}
