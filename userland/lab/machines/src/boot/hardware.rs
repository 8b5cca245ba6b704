// SPDX-License-Identifier: GPL-2.0

//! What a machine of a lab is made of.

use crate::config::emulation::{Accelerator, Clock};
use crate::config::plugin::Plugin;
use crate::config::Config;
use crate::image::guest::{RECEIVER_MAC, SENDER_MAC, SENDER_NIC};
use crate::place::Place;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Of dom0; what the host has beyond is Xen's and the domU's.
const DOM0_MEMORY_MIB: u32 = 768;
const XEN_MEMORY_MIB: u32 = 1024;

/// One end of a network cable.
pub enum Cable {
    To(UnixStream),
    Unplugged,
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
                nic: SENDER_NIC,
                mac: SENDER_MAC,
                plugin: None,
                disk: None,
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
            ..Self::receiver(config, Cable::Unplugged)
        }
    }

    /// The Xen host.
    pub fn of_xen(config: &'a Config, cable: Cable) -> Self {
        Self {
            cpus: 2,
            // Each of its domains has one virtual CPU: a function isn't called while another CPU patches it.
            cpus_in_turn: false,
            cpu: None,
            memory_mib: XEN_MEMORY_MIB + DOM0_MEMORY_MIB + config.domu_memory_mib,
            ..Self::receiver(config, cable)
        }
    }

    fn receiver(config: &'a Config, cable: Cable) -> Self {
        Self {
            accelerator: config.accelerator,
            clock: Clock::Wall,
            cpus: config.cpus,
            cpus_in_turn: config.cpus_in_turn,
            cpu: config.cpu.as_deref(),
            memory_mib: config.memory_mib,
            nic: &config.nic,
            mac: RECEIVER_MAC,
            cable,
            plugin: config.plugin.as_ref(),
            disk: config.disk.as_deref(),
        }
    }
}

/// The hypervisor's command line.
pub fn xen_command_line() -> String {
    format!(
        "console=com1 com1=115200,8n1 dom0_mem={DOM0_MEMORY_MIB}M,max:{DOM0_MEMORY_MIB}M dom0_max_vcpus=1 \
         dom0_vcpus_pin loglvl=warning guest_loglvl=warning"
    )
}
