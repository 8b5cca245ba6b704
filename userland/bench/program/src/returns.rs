// SPDX-License-Identifier: GPL-2.0

//! Calls between markers, in a guest whose emulator counts the kernel's returns that a processor would mispredict.

use crate::control::{control, report, Probe, BACKENDS};
use crate::guest_files::XCAP;
use crate::kernel_module;
use crate::targets;
use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;
use xcap_marker::Marker;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Load {
    /// A probed function, below so many others.
    Chain(u32),
    /// A frame that is sent and received on the loopback device, with several functions probed one in another.
    Frame,
}

/// Depths of the chain, whose difference is of nothing but enclosing returns.
pub const SHALLOW: u32 = 1;
pub const DEEP: u32 = 8;

const LOADS: [Load; 3] = [Load::Chain(SHALLOW), Load::Chain(DEEP), Load::Frame];

/// Probed on a frame's way, one in another.
pub const FRAME_FUNCTIONS: [&str; 3] = ["net_rx_action", "ip_rcv", "udp_rcv"];

/// Windows of so many calls. What most have in common counts: in some there is a timer's interrupt.
pub const WINDOWS: usize = 31;

/// All windows without a probe, or with one mechanism.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// As xcap shows it, `direct(jump)`; none: no probe.
    pub mechanism: Option<String>,
    pub load: Load,
    /// Hits of a call.
    pub hits: f64,
}

impl Load {
    /// Calls in a window, of two kinds: the difference is of nothing but calls.
    pub fn calls(self) -> [u32; 2] {
        match self {
            Self::Chain(_) => [101, 211],
            Self::Frame => [5, 11],
        }
    }

    fn probed(self) -> &'static [&'static str] {
        match self {
            Self::Chain(_) => &["xcap_target_0"],
            Self::Frame => &FRAME_FUNCTIONS,
        }
    }

    fn call(self, calls: u32, frames: &Frames) -> Result<()> {
        match self {
            Self::Chain(depth) => {
                targets::call(&format!("xcap_target_under_{depth}"), u64::from(calls))
            }
            Self::Frame => (0..calls).try_for_each(|_| frames.pass()),
        }
    }
}

/// Without a probe and with each backend.
pub fn measure() -> Result<Vec<Run>> {
    let frames = Frames::prepare()?;
    let mut runs = Vec::new();
    for load in LOADS {
        windows(load, &frames)?;
        runs.push(Run {
            mechanism: None,
            load,
            hits: 0.0,
        });
    }
    kernel_module::load(XCAP, &[])?;
    for stage in report()?.stages {
        control(&format!("del {}", stage.stage))?;
    }
    for backend in BACKENDS.into_iter().rev() {
        for load in LOADS {
            runs.push(probed(backend, load, &frames)?);
        }
    }
    kernel_module::unload("xcap")?;
    Ok(runs)
}

fn probed(backend: &str, load: Load, frames: &Frames) -> Result<Run> {
    let functions = load.probed().iter();
    let probes: Vec<Probe> = functions
        .map(|function| Probe::add(function, function, backend))
        .collect::<Result<_>>()?;
    let calls = windows(load, frames)?;
    let hits = probes.iter().map(|probe| Ok(probe.read()?.count));
    let hits: u64 = hits.sum::<Result<u64>>()?;
    Ok(Run {
        mechanism: Some(mechanism(load.probed()[0])?),
        load,
        hits: hits as f64 / f64::from(calls),
    })
}

/// How the probe of this name is installed.
fn mechanism(probe: &str) -> Result<String> {
    let probes = fs::read_to_string(xcap_abi::paths::PROBES)?;
    let mut lines = probes.lines().map(|line| line.split_whitespace());
    let line = lines.find(|words| words.clone().next() == Some(probe));
    let word = line.and_then(|mut words| words.nth(3));
    let word = word.with_context(|| format!("no probe '{probe}' in '{probes}'"))?;
    Ok(word.to_owned())
}

/// Returns how many calls there were.
fn windows(load: Load, frames: &Frames) -> Result<u32> {
    let mut all = 0;
    for calls in load.calls() {
        load.call(calls, frames)?;
        all += calls;
        for _ in 0..WINDOWS {
            Marker::Begin.execute();
            load.call(calls, frames)?;
            Marker::End.execute();
            all += calls;
        }
    }
    Ok(all)
}

/// Two ends of the loopback device.
struct Frames {
    from: UdpSocket,
    to: UdpSocket,
}

impl Frames {
    fn prepare() -> Result<Self> {
        let up = Command::new("ip")
            .args(["link", "set", "lo", "up"])
            .output();
        let up = up.context("cannot run ip")?;
        if !up.status.success() {
            bail!(
                "ip link set lo up: {}",
                String::from_utf8_lossy(&up.stderr).trim()
            );
        }
        let end = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no socket on loopback");
        let (from, to) = (end()?, end()?);
        from.connect(to.local_addr()?)?;
        Ok(Self { from, to })
    }

    fn pass(&self) -> Result<()> {
        let mut frame = [0; 64];
        self.from.send(&frame)?;
        self.to.recv(&mut frame)?;
        Ok(())
    }
}
