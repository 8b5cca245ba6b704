// SPDX-License-Identifier: GPL-2.0

//! XDP sockets, one a queue of the card.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use aya::maps::XskMap;
use aya::programs::{Xdp, XdpFlags};
use aya::{Ebpf, EbpfLoader};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use xcap_frames::{Error, Ethertype, Interface, XdpHook};
use xdp::nic::NicIndex;
use xdp::slab::Slab;
use xdp::socket::{SocketError, XdpSocket, XdpSocketBuilder};
use xdp::umem::{FrameSize, UmemCfgBuilder};
use xdp::{Packet, Umem};
use xdp::{RingConfigBuilder, Rings};

use crate::source::Source;
use crate::tally::Taken;
use crate::ways::redirect::{image, PROGRAM, SOCKETS};

/// What a frame gets of the memory; a quarter of a KiB of it is the kernel's.
const FRAME: u64 = 2048;

/// Frames that are taken at once, at most.
const BATCH: usize = 64;

/// A driver that takes a program up may restart its card.
const CARRIER_PATIENCE: Duration = Duration::from_secs(10);

/// Takes a program, too, but then tells netback to leave room before each frame, and only after it has had netback look
/// what it is to leave. If that looks first, the program sees frames where there are none, and when it has gone, all
/// others' frames are longer by that room. If it looks later, the program's are (Linux 7.3, xennet_xdp_set;
/// xenvif_rx_data_slot counts the room as the frame's).
const XEN_NETFRONT: &str = "vif";

pub struct AfXdp {
    queues: Vec<Queue>,
    /// As long as it is there, its program is.
    _program: Ebpf,
}

pub struct Opened {
    pub source: AfXdp,
    pub sockets: Vec<Arc<XdpSocket>>,
    pub bytes: u64,
    pub hook: XdpHook,
}

struct Queue {
    socket: Arc<XdpSocket>,
    rings: Rings,
    memory: Umem,
    batch: Batch,
}

/// Frames that were taken and are to be given back.
#[derive(Default)]
struct Batch {
    frames: Vec<Packet>,
    bytes: u64,
    room: usize,
}

impl Slab for Batch {
    fn available(&self) -> usize {
        self.room - self.frames.len()
    }

    fn len(&self) -> usize {
        self.frames.len()
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn push_front(&mut self, frame: Packet) -> Option<Packet> {
        self.bytes += frame.len() as u64;
        self.frames.push(frame);
        None
    }

    fn pop_back(&mut self) -> Option<Packet> {
        self.frames.pop()
    }
}

impl AfXdp {
    /// `zero_copy`: or not at all.
    pub fn open(
        interface: &Interface,
        ethertype: Option<Ethertype>,
        bytes: u64,
        zero_copy: bool,
    ) -> Result<Opened, Error> {
        let name = &interface.name;
        let xdp_error = |doing: &str, why: String| Error::Xdp {
            doing: doing.into(),
            interface: name.clone(),
            why,
        };
        let index = NicIndex::new(interface.index as u32);
        let count = index
            .queue_counts()
            .map_or(1, |queues| queues.rx_count().max(1));
        let image = image(ethertype, count).map_err(|e| xdp_error("making", e.to_string()))?;
        let loaded = EbpfLoader::new().load(&image);
        let mut bpf = loaded.map_err(|e| xdp_error("loading", chain(&e)))?;
        let hook = attach(&mut bpf, interface, zero_copy).map_err(|e| xdp_error("attaching", e))?;

        let each = (bytes / u64::from(count) / FRAME).clamp(1, 1 << 20) as u32;
        let frames = 1 << each.ilog2();
        let queues = (0..count).map(|queue| Queue::open(index, queue, frames, zero_copy));
        let queues: Vec<Queue> = queues
            .collect::<Result<_, _>>()
            .map_err(|error| match error {
                SocketError::Bind(error) if zero_copy => Error::NoZeroCopy {
                    interface: name.clone(),
                    why: error.to_string(),
                },
                other => xdp_error("opening a socket for", chain(&other)),
            })?;
        let map = bpf.map_mut(SOCKETS).expect("the image has it");
        let mut map = XskMap::try_from(map).expect("it is a map of XDP sockets");
        for (number, queue) in (0..count).zip(&queues) {
            map.set(number, queue.socket.as_raw_fd(), 0)
                .map_err(|e| xdp_error("telling of a socket", chain(&e)))?;
        }
        interface.await_carrier(CARRIER_PATIENCE)?;
        Ok(Opened {
            sockets: queues
                .iter()
                .map(|queue| Arc::clone(&queue.socket))
                .collect(),
            bytes: u64::from(frames) * FRAME * u64::from(count),
            hook,
            source: Self {
                queues,
                _program: bpf,
            },
        })
    }
}

/// In the driver if it can, else in the stack.
fn attach(bpf: &mut Ebpf, interface: &Interface, zero_copy: bool) -> Result<XdpHook, String> {
    let program = bpf.program_mut(PROGRAM).expect("the image has it");
    let program: &mut Xdp = program.try_into().expect("it is an XDP program");
    program.load().map_err(|e| chain(&e))?;
    let name = &interface.name;
    if zero_copy || interface.driver().as_deref() != Some(XEN_NETFRONT) {
        match program.attach(name, XdpFlags::DRV_MODE) {
            Ok(_) => return Ok(XdpHook::Native),
            Err(error) if zero_copy => {
                return Err(format!(
                    "{}: its driver knows no XDP, so that nothing but --way af-xdp can be had",
                    chain(&error)
                ))
            }
            Err(_) => {}
        }
    }
    match program.attach(name, XdpFlags::SKB_MODE) {
        Ok(_) => Ok(XdpHook::Generic),
        Err(error) => Err(chain(&error)),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

impl Queue {
    fn open(nic: NicIndex, queue: u32, frames: u32, zero_copy: bool) -> Result<Self, SocketError> {
        let failed = |error: String| SocketError::SocketCreation(std::io::Error::other(error));
        let memory = UmemCfgBuilder {
            frame_size: FrameSize::TwoK,
            frame_count: frames,
            ..UmemCfgBuilder::default()
        };
        let memory = memory.build().map_err(|error| failed(error.to_string()))?;
        let mut memory = Umem::map(memory).map_err(SocketError::SocketCreation)?;
        let rings = RingConfigBuilder {
            rx_count: frames,
            fill_count: frames,
            tx_count: 0,
            // Must be there, and is not used.
            completion_count: 1,
        };
        let rings = rings.build().map_err(|error| failed(error.to_string()))?;
        let mut socket = XdpSocketBuilder::new()?;
        let (mut rings, mut flags) = socket.build_rings(&memory, rings)?;
        // SAFETY: The memory is dropped with the socket, at the program's end.
        unsafe { rings.fill_ring.enqueue(&mut memory, frames as usize) };
        match zero_copy {
            true => flags.force_zerocopy(),
            false => flags.force_copy(),
        }
        Ok(Self {
            socket: Arc::new(socket.bind(nic, queue, flags)?),
            rings,
            memory,
            batch: Batch::default(),
        })
    }

    fn take(&mut self, room: usize) -> Taken {
        self.batch.room = room;
        self.batch.bytes = 0;
        let Some(ring) = &mut self.rings.rx_ring else {
            return Taken::default();
        };
        // SAFETY: The frames are given back below, long before the memory goes.
        let frames = unsafe { ring.recv(&self.memory, &mut self.batch) };
        for frame in self.batch.frames.drain(..) {
            self.memory.free_packet(frame);
        }
        // SAFETY: The memory is dropped with the socket, at the program's end.
        unsafe { self.rings.fill_ring.enqueue(&mut self.memory, frames) };
        Taken {
            frames: frames as u64,
            bytes: self.batch.bytes,
            calls: 0,
        }
    }

    fn wait_for(&self) -> PollFd<'_> {
        // SAFETY: The socket is open as long as `self`.
        let socket = unsafe { BorrowedFd::borrow_raw(self.socket.as_raw_fd()) };
        PollFd::new(socket, PollFlags::POLLIN)
    }
}

impl Source for AfXdp {
    fn take(&mut self, room: u64) -> Result<Taken, Errno> {
        let mut taken = Taken::default();
        for queue in &mut self.queues {
            let room = (room - taken.frames).min(BATCH as u64);
            let one = queue.take(room as usize);
            taken.frames += one.frames;
            taken.bytes += one.bytes;
        }
        if taken.frames == 0 {
            let mut polled: Vec<PollFd> = self.queues.iter().map(Queue::wait_for).collect();
            poll(&mut polled, PollTimeout::NONE)?;
            taken.calls = 1;
        }
        Ok(taken)
    }

    fn left(&mut self) -> u64 {
        let mut left = 0;
        for queue in &mut self.queues {
            while let frames @ 1.. = queue.take(BATCH).frames {
                left += frames;
            }
        }
        left
    }
}
