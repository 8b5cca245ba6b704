// SPDX-License-Identifier: GPL-2.0

//! A network interface, as the kernel lists it.

use std::fs::read_link;
use std::thread::sleep;
use std::time::{Duration, Instant};

use macaddr::MacAddr6;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use crate::Error;

#[derive(Debug, Clone)]
pub struct Interface {
    pub name: String,
    pub index: i32,
    pub address: MacAddr6,
    flags: InterfaceFlags,
}

impl Interface {
    /// Finds an interface that is up.
    pub fn up(name: &str) -> Result<Self, Error> {
        let interface = Self::find(name)?;
        if interface.flags.contains(InterfaceFlags::IFF_UP) {
            Ok(interface)
        } else {
            Err(Error::Down(name.into()))
        }
    }

    fn find(name: &str) -> Result<Self, Error> {
        let all = getifaddrs().map_err(Error::while_doing("listing interfaces"))?;
        let mut known: Vec<String> = Vec::new();
        for entry in all {
            if entry.interface_name == name {
                let link = entry
                    .address
                    .as_ref()
                    .and_then(|address| address.as_link_addr());
                let Some(link) = link else { continue };
                let address = link.addr().ok_or_else(|| Error::NotEthernet(name.into()))?;
                return Ok(Self {
                    name: name.into(),
                    // An index is a positive int in the kernel.
                    index: link.ifindex() as i32,
                    address: address.into(),
                    flags: entry.flags,
                });
            }
            if !known.contains(&entry.interface_name) {
                known.push(entry.interface_name);
            }
        }
        Err(Error::NoInterface {
            name: name.into(),
            known: known.join(" "),
        })
    }

    /// The name of its driver, if it has one.
    pub fn driver(&self) -> Option<String> {
        let driver = read_link(format!("/sys/class/net/{}/device/driver", self.name)).ok()?;
        Some(driver.file_name()?.to_string_lossy().into_owned())
    }

    /// Waits for the cable: without a carrier the kernel drops what is sent, in silence.
    pub fn await_carrier(&self, patience: Duration) -> Result<(), Error> {
        const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + patience;
        loop {
            let now = Self::up(&self.name)?;
            if now.flags.contains(InterfaceFlags::IFF_RUNNING) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::NoCarrier(self.name.clone()));
            }
            sleep(BETWEEN_LOOKS);
        }
    }
}
