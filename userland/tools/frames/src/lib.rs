// SPDX-License-Identifier: GPL-2.0

//! What the sender and the capturer share: raw Ethernet frames by AF_PACKET, and what both say, for whoever runs them.

mod arguments;
mod captured;
pub mod cli;
mod error;
mod ethertype;
mod interface;
mod sent;
mod socket;
mod stop;

pub use arguments::arguments;
pub use captured::{Captured, CapturedUntil, READY};
pub use error::Error;
pub use ethertype::{Ethertype, X25};
pub use interface::Interface;
pub use macaddr::MacAddr6;
pub use sent::{Sent, SentUntil};
pub use socket::{Buffer, PacketSocket, Statistics};
pub use stop::Signals;
