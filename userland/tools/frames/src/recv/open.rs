// SPDX-License-Identifier: GPL-2.0

//! Opens a capture.

use std::sync::Arc;

use xcap_frames::cli::recv::Cli;
use xcap_frames::{Error, Interface, PacketSocket, Way, XdpHook};

use crate::counter::Counter;
use crate::source::Source;
use crate::ways::af_xdp::AfXdp;
use crate::ways::recvfrom::Recvfrom;
use crate::ways::recvmmsg::Recvmmsg;
use crate::ways::tpacket_v2::TpacketV2;
use crate::ways::tpacket_v3::TpacketV3;
use crate::ways::Blocks;

/// A ring's size where none is asked for, as libpcap's.
const RING: u64 = 2 << 20;

/// A capture that has begun: frames are kept from now on.
pub struct Opened {
    pub source: Box<dyn Source>,
    /// Of the other threads.
    pub others: Vec<Recvfrom>,
    pub counters: Vec<Counter>,
    /// Of all buffers.
    pub bytes: u64,
    pub hook: Option<XdpHook>,
}

pub fn open(cli: &Cli, interface: &Interface) -> Result<Opened, Error> {
    let ring_bytes = cli.buffer().map_or(RING, |bytes| bytes as u64);
    match cli.way {
        Way::Recvfrom => buffered(cli, interface, |socket| Box::new(Recvfrom::new(socket))),
        Way::Recvmmsg => buffered(cli, interface, |socket| Box::new(Recvmmsg::new(socket))),
        Way::Fanout => fanout(cli, interface),
        Way::TpacketV2 => {
            let blocks = Blocks::of(ring_bytes, 1);
            ring(cli, interface, blocks, |socket| {
                Ok(Box::new(TpacketV2::new(socket, blocks)?))
            })
        }
        Way::TpacketV3 => {
            // One is the kernel's while another is read.
            let blocks = Blocks::of(ring_bytes, 4);
            ring(cli, interface, blocks, |socket| {
                Ok(Box::new(TpacketV3::new(socket, blocks)?))
            })
        }
        Way::AfXdp | Way::AfXdpZerocopy => {
            let zero_copy = cli.way == Way::AfXdpZerocopy;
            let opened = AfXdp::open(interface, cli.ethertype(), ring_bytes, zero_copy)?;
            Ok(Opened {
                source: Box::new(opened.source),
                others: Vec::new(),
                counters: opened.sockets.into_iter().map(Counter::Xdp).collect(),
                bytes: opened.bytes,
                hook: Some(opened.hook),
            })
        }
        Way::Libpcap => libpcap(cli, interface, ring_bytes),
    }
}

#[cfg(feature = "libpcap")]
fn libpcap(cli: &Cli, interface: &Interface, bytes: u64) -> Result<Opened, Error> {
    use crate::ways::libpcap::Libpcap;
    let (source, socket) = Libpcap::open(interface, cli.ethertype(), bytes)?;
    Ok(Opened {
        source: Box::new(source),
        others: Vec::new(),
        counters: vec![Counter::Packet(Arc::new(socket))],
        bytes,
        hook: None,
    })
}

#[cfg(not(feature = "libpcap"))]
fn libpcap(_cli: &Cli, _interface: &Interface, _bytes: u64) -> Result<Opened, Error> {
    Err(Error::NoLibpcap)
}

/// A packet socket with the buffer that was asked for, not yet bound.
fn socket(cli: &Cli, sockets: usize) -> Result<Arc<PacketSocket>, Error> {
    let socket = PacketSocket::open()?;
    if let Some(bytes) = cli.buffer() {
        let buffer = socket.set_buffer((bytes / sockets).max(1))?;
        if buffer.is_cut {
            eprintln!(
                "xcap-recv: the buffer is {} bytes, more needs root or a greater net.core.rmem_max",
                buffer.bytes
            );
        }
    }
    Ok(Arc::new(socket))
}

fn buffered(
    cli: &Cli,
    interface: &Interface,
    source: impl Fn(Arc<PacketSocket>) -> Box<dyn Source>,
) -> Result<Opened, Error> {
    let socket = socket(cli, 1)?;
    let bytes = socket.buffer()? as u64;
    socket.bind_to_receive(interface, cli.ethertype())?;
    Ok(Opened {
        source: source(Arc::clone(&socket)),
        others: Vec::new(),
        counters: vec![Counter::Packet(socket)],
        bytes,
        hook: None,
    })
}

fn ring(
    cli: &Cli,
    interface: &Interface,
    blocks: Blocks,
    source: impl Fn(Arc<PacketSocket>) -> Result<Box<dyn Source>, Error>,
) -> Result<Opened, Error> {
    let socket = Arc::new(PacketSocket::open()?);
    let source = source(Arc::clone(&socket))?;
    socket.bind_to_receive(interface, cli.ethertype())?;
    Ok(Opened {
        source,
        others: Vec::new(),
        counters: vec![Counter::Packet(socket)],
        bytes: blocks.bytes(),
        hook: None,
    })
}

/// A socket for each thread; together they have the buffer that was asked for.
fn fanout(cli: &Cli, interface: &Interface) -> Result<Opened, Error> {
    let threads = cli.threads();
    // Any number that no other program uses on this interface.
    let group = std::process::id() as u16;
    let mut sockets = Vec::new();
    let mut bytes = 0;
    for _ in 0..threads {
        let socket = socket(cli, threads)?;
        bytes += socket.buffer()? as u64;
        // Until all have joined, each would get every frame.
        socket.ignore_all()?;
        socket.bind_to_receive(interface, cli.ethertype())?;
        socket.join_fanout(group)?;
        sockets.push(socket);
    }
    for socket in &sockets {
        socket.ignore_none()?;
    }
    let source = |socket: &Arc<PacketSocket>| Recvfrom::new(Arc::clone(socket));
    Ok(Opened {
        source: Box::new(source(&sockets[0])),
        others: sockets[1..].iter().map(source).collect(),
        counters: sockets.into_iter().map(Counter::Packet).collect(),
        bytes,
        hook: None,
    })
}
