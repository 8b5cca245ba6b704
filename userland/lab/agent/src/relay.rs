// SPDX-License-Identifier: GPL-2.0

//! Another guest's console, carried over this process's stdin and stdout.

use crate::tty::open_raw;
use anyhow::Result;
use std::io::{copy, Read, Write};

pub fn relay(path: &str) -> Result<()> {
    let mut console = open_raw(path)?;
    let mut to_console = console.try_clone()?;
    std::thread::spawn(move || copy(&mut std::io::stdin(), &mut to_console));
    let mut stdout = std::io::stdout();
    let mut buffer = [0; 4096];
    loop {
        // The pty reports an error once the guest is gone: that is how a relay ends.
        let Ok(n @ 1..) = console.read(&mut buffer) else {
            return Ok(());
        };
        stdout.write_all(&buffer[..n])?;
        stdout.flush()?;
    }
}
