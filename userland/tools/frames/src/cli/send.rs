// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use macaddr::MacAddr6;

use crate::ethertype::{Ethertype, X25};

/// How long a cable just plugged in may take to come to life.
pub const CARRIER_PATIENCE: Duration = Duration::from_secs(5);

/// Sends one raw Ethernet frame again and again.
///
/// The frame is built once and sent unchanged (but with --numbered), past the
/// TCP/IP stack, marked as X.25 so that no stack at the other end takes it either.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    /// Interface to send from
    #[arg(short, long, value_name = "NAME")]
    pub interface: String,

    /// Address to send to; ff:ff:ff:ff:ff:ff is everybody
    #[arg(short, long, value_name = "MAC")]
    pub destination: MacAddr6,

    /// Bytes of the whole frame, without its checksum
    #[arg(short, long, value_name = "BYTES", default_value = "64",
          value_parser = clap::value_parser!(u16).range(60..=1514))]
    pub size: u16,

    /// Pause between frames, µs (0: none)
    ///
    /// Waited out on the clock, to its precision: where a read of it takes long
    /// (a guest with a trapped TSC), so does the pause.
    #[arg(short, long, value_name = "MICROSECONDS", default_value = "0", value_parser = pause)]
    pub wait: f64,

    /// Frames to send
    #[arg(short, long, value_name = "FRAMES", default_value = "10000",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,

    /// Ethertype, hexadecimal
    #[arg(short, long, value_name = "TYPE", default_value_t = X25)]
    pub ethertype: Ethertype,

    /// Number the frames, from 0, in the first 12 bytes of their payload
    ///
    /// xcap.ko finds the number there and says where each frame was when
    /// (`marks on`). Without this all frames are the same, as in the paper.
    #[arg(long, conflicts_with = "ethertype")]
    pub numbered: bool,

    /// Send what is in this file, from the destination's address on, as it is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "ethertype", "numbered"])]
    pub frame: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Print the JSON schema of what --json prints
    #[arg(long, exclusive = true)]
    pub schema: bool,
}

const EXAMPLES: &str = "\
Examples, the paper's scenarios:
  xcap-send -i eth1 -d 52:54:00:00:00:02                      w0s0064
  xcap-send -i eth1 -d 52:54:00:00:00:02 --wait 1             w1s0064
  xcap-send -i eth1 -d 52:54:00:00:00:02 --size 1500          w0s1500
  xcap-send -i eth1 -d 52:54:00:00:00:02 --size 1500 --wait 1 w1s1500
And one whose frames can be told from one another:
  xcap-send -i eth1 -d 52:54:00:00:00:02 --numbered

Exit status: 0 all sent, 1 not all sent (the reason is on stderr), 2 wrong usage.";

fn pause(text: &str) -> Result<f64, String> {
    let micros: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1e9).contains(&micros) {
        Ok(micros)
    } else {
        Err("not between 0 and 1000000000".into())
    }
}
