// SPDX-License-Identifier: GPL-2.0

//! Looks again and again at what the capturing socket holds, by the kernel's own count.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{sleep, spawn, JoinHandle};
use std::time::Duration;

use anyhow::{anyhow, Context, Result};
use procfs::process::{FDTarget, Process};
use xcap_journeys::look::Look;

/// The kernel's list of packet sockets: `sk RefCnt Type Proto Iface R Rmem User Inode`, a line each.
const SOCKETS: &str = "/proc/net/packet";
const RMEM: usize = 6;
const INODE: usize = 8;

/// A frame of a flood is there in less, one of those that come slowly in much more.
const BETWEEN: Duration = Duration::from_millis(1);

/// More than any run wants: about as much as its marks.
const MOST: usize = 1 << 16;

/// Under way.
pub struct Looks {
    over: Arc<AtomicBool>,
    looking: JoinHandle<Result<Vec<Look>>>,
}

impl Looks {
    /// From now on, at the packet socket of the program with this number.
    pub fn begin(program: i32) -> Result<Self> {
        let sockets = sockets_of(program)?;
        let over = Arc::new(AtomicBool::new(false));
        let looking = spawn({
            let over = Arc::clone(&over);
            move || {
                let mut looks = Vec::new();
                while !over.load(Ordering::Relaxed) && looks.len() < MOST {
                    looks.push(look(&sockets)?);
                    sleep(BETWEEN);
                }
                Ok(looks)
            }
        });
        Ok(Self { over, looking })
    }

    /// What was seen.
    pub fn end(self) -> Result<Vec<Look>> {
        self.over.store(true, Ordering::Relaxed);
        let looks = self.looking.join();
        looks.map_err(|_| anyhow!("who looked at '{SOCKETS}' panicked"))?
    }
}

fn look(sockets: &[u64]) -> Result<Look> {
    let after = now();
    let text = fs::read_to_string(SOCKETS).with_context(|| format!("cannot read '{SOCKETS}'"))?;
    let before = now();
    let held = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let inode = fields.get(INODE)?.parse().ok()?;
        let bytes: u64 = fields.get(RMEM)?.parse().ok()?;
        sockets.contains(&inode).then_some(bytes)
    });
    Ok(Look {
        after,
        before,
        bytes: held.sum(),
    })
}

/// By their inodes.
fn sockets_of(program: i32) -> Result<Vec<u64>> {
    let open = Process::new(program)?.fd()?;
    let sockets = open.filter_map(|file| match file.ok()?.target {
        FDTarget::Socket(inode) => Some(inode),
        _ => None,
    });
    Ok(sockets.collect())
}

/// As the module reads it.
fn now() -> u64 {
    // SAFETY: Every x86-64 processor has the instruction, and Linux lets programs use it unless they forbid it to
    // themselves.
    unsafe { core::arch::x86_64::_rdtsc() }
}
