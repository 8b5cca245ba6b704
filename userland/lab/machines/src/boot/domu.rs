// SPDX-License-Identifier: GPL-2.0

//! The way to the domU's agent: its console, which a command in dom0 carries.

use crate::talk::link::JobEvent;
use crate::talk::running::{Input, Running};
use anyhow::Result;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{channel, Receiver};
use xcap_guest::protocol::Stream;

/// What `running` prints, as a stream, and its input; what it complains of goes to the file `log`.
pub fn console(running: Running, log: &Path) -> Result<(impl Read + Send + 'static, Input)> {
    let (input, events) = running.into_events();
    let (sender, bytes) = channel();
    let mut log = File::create(log)?;
    std::thread::spawn(move || {
        for event in events {
            match event {
                JobEvent::Output(Stream::Stdout, data) => drop(sender.send(data)),
                JobEvent::Output(Stream::Stderr, data) => drop(log.write_all(&data)),
                JobEvent::Ended(_) => return,
            }
        }
    });
    let rest = Vec::new();
    Ok((Chunks { bytes, rest }, input))
}

/// Chunks from a channel, as a stream.
struct Chunks {
    bytes: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            match self.bytes.recv() {
                Ok(bytes) => self.rest = bytes,
                Err(_) => return Ok(0),
            }
        }
        let n = buffer.len().min(self.rest.len());
        buffer[..n].copy_from_slice(&self.rest[..n]);
        self.rest.drain(..n);
        Ok(n)
    }
}
