// SPDX-License-Identifier: GPL-2.0

//! The agent in a guest: `xcap-lab`'s hands there.
//!
//! `xcap-guest agent PORT` runs what the host asks for; `xcap-guest job PORT FILE` runs the one command in FILE and
//! tells of it when it has ended; `xcap-guest relay TTY` carries another guest's console over its own stdin and stdout.

mod agent;
mod job;
mod kernel_log;
mod relay;
mod tty;

use anyhow::{bail, Result};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["agent", port] => agent::serve(port),
        ["job", port, file] => agent::run_alone(port, file),
        ["relay", tty] => relay::relay(tty),
        _ => bail!("usage: xcap-guest agent PORT | job PORT FILE | relay TTY"),
    }
}
