// SPDX-License-Identifier: GPL-2.0

//! AF_PACKET sockets.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce, SocketError};
use nix::sys::socket::{
    bind, getsockopt, recv, send, setsockopt, socket, AddressFamily, LinkAddr, MsgFlags, SockFlag,
    SockType, SockaddrLike,
};

use crate::{Error, Ethertype, Interface};

/// A `SOCK_RAW` packet socket bound to one interface.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

/// The size of a receive buffer, bytes as the kernel accounts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    pub bytes: usize,
    /// The system's limit (net.core.rmem_max) cut what was asked for.
    pub is_cut: bool,
}

/// What the socket itself counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Frames that came to the socket, dropped ones too.
    pub packets: u32,
    /// Frames for which the receive buffer had no room.
    pub drops: u32,
}

#[derive(Clone, Copy, Debug)]
struct PacketStatistics;

nix::getsockopt_impl!(
    PacketStatistics,
    libc::SOL_PACKET,
    libc::PACKET_STATISTICS,
    libc::tpacket_stats,
    nix::sys::socket::sockopt::GetStruct<libc::tpacket_stats>
);

#[derive(Clone, Copy, Debug)]
struct IgnoreOutgoing;

nix::setsockopt_impl!(
    IgnoreOutgoing,
    libc::SOL_PACKET,
    libc::PACKET_IGNORE_OUTGOING,
    bool,
    nix::sys::socket::sockopt::SetBool
);

#[derive(Clone, Copy, Debug)]
struct Fanout;

nix::setsockopt_impl!(
    Fanout,
    libc::SOL_PACKET,
    libc::PACKET_FANOUT,
    u32,
    nix::sys::socket::sockopt::SetStruct<u32>
);

#[derive(Clone, Copy, Debug)]
struct RingVersion;

nix::setsockopt_impl!(
    RingVersion,
    libc::SOL_PACKET,
    libc::PACKET_VERSION,
    i32,
    nix::sys::socket::sockopt::SetStruct<i32>
);

#[derive(Clone, Copy, Debug)]
struct RingOfFrames;

nix::setsockopt_impl!(
    RingOfFrames,
    libc::SOL_PACKET,
    libc::PACKET_RX_RING,
    libc::tpacket_req,
    nix::sys::socket::sockopt::SetStruct<libc::tpacket_req>
);

#[derive(Clone, Copy, Debug)]
struct RingOfBlocks;

nix::setsockopt_impl!(
    RingOfBlocks,
    libc::SOL_PACKET,
    libc::PACKET_RX_RING,
    libc::tpacket_req3,
    nix::sys::socket::sockopt::SetStruct<libc::tpacket_req3>
);

#[derive(Clone, Copy, Debug)]
struct Filter;

nix::setsockopt_impl!(
    Filter,
    libc::SOL_SOCKET,
    libc::SO_ATTACH_FILTER,
    libc::sock_fprog,
    nix::sys::socket::sockopt::SetStruct<libc::sock_fprog>
);

#[derive(Clone, Copy, Debug)]
struct NoFilter;

nix::setsockopt_impl!(
    NoFilter,
    libc::SOL_SOCKET,
    libc::SO_DETACH_FILTER,
    bool,
    nix::sys::socket::sockopt::SetBool
);

/// A ring that the kernel puts frames in.
#[derive(Clone, Copy, Debug)]
pub enum Ring {
    /// TPACKET_V2.
    Frames(libc::tpacket_req),
    /// TPACKET_V3.
    Blocks(libc::tpacket_req3),
}

impl PacketSocket {
    /// Opens a socket that receives nothing until it is bound.
    pub fn open() -> Result<Self, Error> {
        socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .map(Self)
        .map_err(Error::while_doing("opening a packet socket"))
    }

    /// Sets the receive buffer, past the system's limit where we may, and says what came of it.
    pub fn set_buffer(&self, bytes: usize) -> Result<Buffer, Error> {
        let forced = setsockopt(&self.0, RcvBufForce, &bytes);
        let set = forced.or_else(|_| setsockopt(&self.0, RcvBuf, &bytes));
        set.map_err(Error::while_doing("setting the receive buffer"))?;
        let got = self.buffer()?;
        Ok(Buffer {
            bytes: got,
            // The kernel doubles what is asked for, to have room for its own data.
            is_cut: got < bytes.saturating_mul(2),
        })
    }

    /// Size of the receive buffer.
    pub fn buffer(&self) -> Result<usize, Error> {
        getsockopt(&self.0, RcvBuf).map_err(Error::while_doing("asking for the receive buffer"))
    }

    /// Binds for sending alone.
    pub fn bind_to_send(&self, interface: &Interface) -> Result<(), Error> {
        self.bind(interface, 0)
    }

    /// Binds to receive frames of one kind; of every kind, but not sent ones, if `None`.
    pub fn bind_to_receive(
        &self,
        interface: &Interface,
        ethertype: Option<Ethertype>,
    ) -> Result<(), Error> {
        const ALL: u16 = libc::ETH_P_ALL as u16;
        if ethertype.is_none() {
            setsockopt(&self.0, IgnoreOutgoing, &true)
                .map_err(Error::while_doing("leaving out sent frames"))?;
        }
        self.bind(interface, ethertype.map_or(ALL, Ethertype::value))
    }

    fn bind(&self, interface: &Interface, protocol: u16) -> Result<(), Error> {
        let raw = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: protocol.to_be(),
            sll_ifindex: interface.index,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `raw` is an initialised `sockaddr_ll`, `length` its size, and it
        // outlives the call, which copies it.
        let address = unsafe { LinkAddr::from_raw((&raw const raw).cast(), Some(length)) };
        let doing = || format!("binding to '{}'", interface.name);
        let address = address.ok_or_else(|| Error::System {
            doing: doing(),
            source: Errno::EINVAL,
        })?;
        bind(self.0.as_raw_fd(), &address).map_err(Error::while_doing(doing()))
    }

    /// Receives one frame: `recvfrom()` without an address, glibc's `recv` on x86-64.
    #[inline]
    pub fn receive(&self, frame: &mut [u8]) -> Result<usize, Errno> {
        recv(self.0.as_raw_fd(), frame, MsgFlags::empty())
    }

    /// Sends one frame as it is.
    #[inline]
    pub fn send(&self, frame: &[u8]) -> Result<usize, Errno> {
        send(self.0.as_raw_fd(), frame, MsgFlags::empty())
    }

    /// Makes the kernel put frames in a ring, to be mapped.
    pub fn set_ring(&self, ring: Ring) -> Result<(), Error> {
        let version = match ring {
            Ring::Frames(_) => libc::tpacket_versions::TPACKET_V2,
            Ring::Blocks(_) => libc::tpacket_versions::TPACKET_V3,
        };
        setsockopt(&self.0, RingVersion, &(version as i32))
            .map_err(Error::while_doing("asking for a ring of this version"))?;
        let (set, bytes) = match ring {
            Ring::Frames(ring) => (
                setsockopt(&self.0, RingOfFrames, &ring),
                u64::from(ring.tp_block_size) * u64::from(ring.tp_block_nr),
            ),
            Ring::Blocks(ring) => (
                setsockopt(&self.0, RingOfBlocks, &ring),
                u64::from(ring.tp_block_size) * u64::from(ring.tp_block_nr),
            ),
        };
        set.map_err(|source| match source {
            Errno::ENOMEM => Error::NoMemoryForRing { bytes },
            source => Error::while_doing("making the ring")(source),
        })
    }

    /// Shares frames in turn with all other sockets of the group.
    pub fn join_fanout(&self, group: u16) -> Result<(), Error> {
        let in_turn = u32::from(group) | libc::PACKET_FANOUT_LB << 16;
        setsockopt(&self.0, Fanout, &in_turn).map_err(Error::while_doing(
            "joining a fanout group of packet sockets",
        ))
    }

    /// Takes no frame, until [`PacketSocket::ignore_none`].
    pub fn ignore_all(&self) -> Result<(), Error> {
        let mut nothing = libc::sock_filter {
            code: (libc::BPF_RET | libc::BPF_K) as u16,
            jt: 0,
            jf: 0,
            k: 0,
        };
        let filter = libc::sock_fprog {
            len: 1,
            filter: &mut nothing,
        };
        setsockopt(&self.0, Filter, &filter).map_err(Error::while_doing("ignoring all frames"))
    }

    /// Takes frames from now on.
    pub fn ignore_none(&self) -> Result<(), Error> {
        setsockopt(&self.0, NoFilter, &true).map_err(Error::while_doing("ignoring no frame"))
    }

    /// The error that the kernel has for whoever uses the socket next.
    pub fn error(&self) -> Errno {
        let found = getsockopt(&self.0, SocketError).unwrap_or_default();
        Errno::from_raw(found)
    }

    /// What the socket counted since it was bound or last asked.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let found = getsockopt(&self.0, PacketStatistics)
            .map_err(Error::while_doing("asking for the socket's statistics"))?;
        Ok(Statistics {
            packets: found.tp_packets,
            drops: found.tp_drops,
        })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Somebody else's packet socket, for its statistics.
impl From<OwnedFd> for PacketSocket {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}
