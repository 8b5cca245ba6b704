// SPDX-License-Identifier: GPL-2.0

//! What a machine of a lab is made of.

use crate::boot::wire::Plugged;
use crate::config::emulation::{Accelerator, Clock};
use crate::config::firmware::Firmware;
use crate::config::plugin::Plugin;
use crate::config::Config;
use crate::image::guest::{RECEIVER_MAC, SENDER_MAC};
use crate::place::Place;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Of dom0; what the host has beyond is Xen's and the domU's.
const DOM0_MEMORY_MIB: u32 = 768;
const XEN_MEMORY_MIB: u32 = 1024;

/// What the emulator can do, and a TSC that Xen takes for constant. Reading an x2APIC's timer is not prepared for a clock
/// of instructions: QEMU 10.0 ends with "Bad icount read".
const INSTRUCTIONS_CPU: &str = "max,+invtsc,-x2apic";

/// One end of a network cable.
pub enum Cable {
    To(UnixStream),
    /// To the sender inside the emulator.
    Wire(Plugged),
    Unplugged,
}

impl Cable {
    /// What the emulator inherits of it.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::To(end) => Some(end.as_fd()),
            Self::Wire(plugged) => Some(plugged.control.as_fd()),
            Self::Unplugged => None,
        }
    }
}

pub struct Hardware<'a> {
    pub accelerator: Accelerator,
    pub clock: Clock,
    pub cpus: u32,
    /// See [`Config::cpus_in_turn`].
    pub cpus_in_turn: bool,
    pub cpu: Option<&'a str>,
    pub memory_mib: u32,
    pub nic: &'a str,
    pub mac: &'a str,
    pub cable: Cable,
    pub plugin: Option<&'a Plugin>,
    /// See [`Config::disk`].
    pub disk: Option<&'a Path>,
    /// How often: a guest of Xen's can have one of its own.
    pub disks: u32,
    pub firmware: Option<&'a Firmware>,
}

pub struct Software<'a> {
    pub kernel: &'a Path,
    pub initrd: String,
    pub append: String,
}

impl<'a> Hardware<'a> {
    /// A machine without Xen: the bare one, or the sender.
    pub fn of_linux(config: &'a Config, place: Place, cable: Cable) -> Self {
        if place == Place::Sender {
            return Self {
                cpus: 1,
                cpu: None,
                memory_mib: 512,
                nic: &config.sender_nic,
                mac: SENDER_MAC,
                plugin: None,
                clock: Clock::Wall,
                disk: None,
                firmware: None,
                ..Self::receiver(config, cable)
            };
        }
        Self::receiver(config, cable)
    }

    /// The bare machine, alone, with a clock that counts instructions.
    pub fn deterministic(config: &'a Config) -> Self {
        Self {
            clock: Clock::Instructions,
            cpus: 1,
            cpus_in_turn: true,
            cpu: config.cpu.as_deref(),
            ..Self::receiver(config, Cable::Unplugged)
        }
    }

    /// The Xen host.
    pub fn of_xen(config: &'a Config, cable: Cable) -> Self {
        let exact = config.clock == Clock::Instructions;
        Self {
            cpus: if exact { 1 } else { 2 },
            // Needless where each domain has one virtual CPU: no function is called then while another CPU patches it.
            cpus_in_turn: config.cpus_in_turn,
            cpu: exact.then_some(INSTRUCTIONS_CPU),
            disks: 2,
            memory_mib: XEN_MEMORY_MIB + DOM0_MEMORY_MIB + config.domu_memory_mib,
            ..Self::receiver(config, cable)
        }
    }

    fn receiver(config: &'a Config, cable: Cable) -> Self {
        let exact = config.clock == Clock::Instructions;
        Self {
            accelerator: config.accelerator,
            clock: config.clock,
            cpus: config.cpus,
            cpus_in_turn: config.cpus_in_turn,
            cpu: config.cpu.as_deref().or(exact.then_some(INSTRUCTIONS_CPU)),
            memory_mib: config.memory_mib,
            nic: &config.nic,
            mac: RECEIVER_MAC,
            cable,
            plugin: config.plugin.as_ref(),
            disk: config.disk.as_deref(),
            disks: 1,
            firmware: config.firmware.as_ref(),
        }
    }
}

/// The hypervisor's command line.
///
/// By the clock of instructions, what one CPU executes is time for the other, too: the domains share one. Xen then changes
/// from one to the other when it has nothing to do, not in the midst of a call that is being timed. With a clock of its
/// own, each CPU is emulated by itself, and a domU of two lost vector registers in half of the runs, at times before its
/// init had begun, unless Xen restored them at each switch, as it does on Intel's CPUs.
pub fn xen_command_line(clock: Clock) -> String {
    let scheduling = match clock {
        Clock::Instructions => " sched_ratelimit_us=500000",
        Clock::Wall => " spec-ctrl=eager-fpu",
    };
    format!(
        "console=com1 com1=115200,8n1 dom0_mem={DOM0_MEMORY_MIB}M,max:{DOM0_MEMORY_MIB}M dom0_max_vcpus=1 \
         dom0_vcpus_pin loglvl=warning guest_loglvl=warning{scheduling}"
    )
}
