// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::time::Duration;

use crate::captured::Way;
use crate::ethertype::{Ethertype, X25};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

/// Captures raw Ethernet frames and does nothing with them.
///
/// One recvfrom() a frame on an AF_PACKET socket, and not another system call,
/// or another way that capturing programs use (--way): what the kernel spends
/// is what capturing costs. Says `ready: …` on stderr once frames are being
/// captured, and reports when it stops.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    /// Interface to capture on
    #[arg(short, long, value_name = "NAME")]
    pub interface: String,

    /// Stop after so many frames
    #[arg(short, long, value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Stop when no frame came for so many milliseconds after the first
    #[arg(short, long, value_name = "MILLISECONDS", value_parser = milliseconds)]
    pub silence: Option<Duration>,

    /// Stop after so many milliseconds, whatever came
    #[arg(short, long, value_name = "MILLISECONDS", value_parser = milliseconds)]
    pub timeout: Option<Duration>,

    /// Ethertype to capture, hexadecimal
    #[arg(short, long, value_name = "TYPE", default_value_t = X25)]
    ethertype: Ethertype,

    /// Capture frames of every ethertype
    #[arg(short, long, conflicts_with = "ethertype")]
    all: bool,

    /// How to get frames from the kernel
    #[arg(
        short,
        long,
        value_name = "WAY",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub way: Way,

    /// Threads that capture, with --way fanout [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: Option<u32>,

    /// Size of the socket's buffer, or ring [default: the system's; a ring 2 MiB]
    #[arg(short, long, value_name = "BYTES",
          value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    buffer: Option<u32>,

    /// Report the mean of the TSC when frames were taken from the kernel, in JSON
    #[arg(long, requires = "json")]
    pub taken_at: bool,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Print the JSON schema of what --json prints
    #[arg(long, exclusive = true)]
    pub schema: bool,
}

const EXAMPLES: &str = "\
Ways:
  recvfrom         one system call a frame, the paper's
  recvmmsg         up to 64 frames a system call
  tpacket-v2       PACKET_MMAP: a ring of frames
  tpacket-v3       PACKET_MMAP: a ring of blocks that hold many frames
  fanout           recvfrom by --threads threads, frames dealt out in turn
  af-xdp           XDP sockets; the kernel's stack doesn't see these frames
  af-xdp-zerocopy  XDP sockets that the card writes to, if its driver can
  libpcap          as tcpdump captures

Examples:
  xcap-recv -i eth0 --count 10000                  stop at the last frame
  xcap-recv -i eth0 --silence 500                  stop when no more come
  xcap-recv -i eth0 --silence 500 --timeout 30000  give up after 30 s
  xcap-recv -i eth0 --buffer 67108864              drop nothing in the socket
  xcap-recv -i eth0 --way tpacket-v3 --silence 500 what a ring costs

A capture that is stopped by anything but --count ends inside a last recvfrom();
read xcap's figures before it ends, and that call is not among them.

Exit status: 0 captured, 1 error or no frame within --timeout, 2 wrong usage.";

impl Cli {
    /// Ends the program where the options make no sense together.
    pub fn checked(self) -> Self {
        if self.threads.is_some() && self.way != Way::Fanout {
            let message = format!("--threads is for --way fanout, not {}", self.way.word());
            Self::command()
                .error(ErrorKind::ArgumentConflict, message)
                .exit()
        }
        self
    }

    /// Threads that capture.
    pub fn threads(&self) -> usize {
        match self.way {
            Way::Fanout => self.threads.unwrap_or(2) as usize,
            _ => 1,
        }
    }

    /// The only ethertype to capture, if there is one.
    pub fn ethertype(&self) -> Option<Ethertype> {
        (!self.all).then_some(self.ethertype)
    }

    /// What is captured, for people.
    pub fn kind(&self) -> String {
        match self.ethertype() {
            Some(ethertype) => format!("ethertype {ethertype}"),
            None => "every ethertype".into(),
        }
    }

    pub fn buffer(&self) -> Option<usize> {
        self.buffer.map(|bytes| bytes as usize)
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err("not a whole number of milliseconds from 1".into()),
    }
}
