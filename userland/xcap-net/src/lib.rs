// SPDX-License-Identifier: GPL-2.0

//! What the sender and the capturer share: raw Ethernet frames by AF_PACKET.

mod error;
mod ethertype;
mod interface;
mod socket;
mod stop;

pub use error::Error;
pub use ethertype::{Ethertype, X25};
pub use interface::Interface;
pub use macaddr::MacAddr6;
pub use socket::{Buffer, PacketSocket, Statistics};
pub use stop::Signals;
