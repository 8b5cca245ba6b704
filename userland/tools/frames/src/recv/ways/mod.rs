// SPDX-License-Identifier: GPL-2.0

//! The ways of getting frames from the kernel.

pub mod af_xdp;
#[cfg(feature = "libpcap")]
pub mod libpcap;
pub mod recvfrom;
pub mod recvmmsg;
mod redirect;
mod ring;
pub mod tpacket_v2;
pub mod tpacket_v3;

pub use ring::Blocks;

/// More than any frame, also one that the NIC put together from several.
const LONGEST: usize = 1 << 17;
