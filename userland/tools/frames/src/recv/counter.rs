// SPDX-License-Identifier: GPL-2.0

//! What the kernel counted of a capture.

use std::sync::Arc;

use nix::errno::Errno;
use xcap_frames::{Error, PacketSocket};
use xdp::socket::XdpSocket;

/// What a socket counts, for any thread to ask.
pub enum Counter {
    Packet(Arc<PacketSocket>),
    Xdp(Arc<XdpSocket>),
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Frames that came, dropped ones too; none: nobody counts them.
    pub came: Option<u64>,
    /// Frames for which there was no room.
    pub drops: u64,
}

impl Counter {
    fn read(&self) -> Result<Counted, Error> {
        match self {
            Self::Packet(socket) => socket.statistics().map(|found| Counted {
                came: Some(found.packets.into()),
                drops: found.drops.into(),
            }),
            Self::Xdp(socket) => {
                let found = socket.statistics().map_err(|error| Error::System {
                    doing: format!("asking for the XDP socket's statistics ({error})"),
                    source: Errno::last(),
                })?;
                Ok(Counted {
                    came: None,
                    // No buffer, or no room in the ring: the kernel counts each frame once.
                    drops: found.rx_dropped + found.rx_ring_full,
                })
            }
        }
    }
}

/// What all sockets counted. Asking is once only: packet sockets begin anew.
pub fn counted(counters: &[Counter]) -> Result<Counted, Error> {
    let mut sum = Counted {
        came: Some(0),
        drops: 0,
    };
    for counter in counters {
        let one = counter.read()?;
        sum.came = sum.came.zip(one.came).map(|(sum, one)| sum + one);
        sum.drops += one.drops;
    }
    Ok(sum)
}
