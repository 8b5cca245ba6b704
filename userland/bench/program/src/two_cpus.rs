// SPDX-License-Identifier: GPL-2.0

//! Two CPUs that call one function at once.

use crate::control::{Probe, BACKENDS};
use crate::guest_files::XCAP;
use crate::kernel_module;
use crate::work::{batch, UMASK};
use anyhow::{bail, Result};
use nix::sched::{sched_getaffinity, sched_setaffinity, CpuSet};
use nix::sys::mman::{mmap_anonymous, MapFlags, ProtFlags};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult, Pid};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};
use xcap_marker::Marker;

pub const CPUS: usize = 2;

const OURSELVES: Pid = Pid::from_raw(0);

/// Calls that were made between two markers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calls {
    pub probe: String,
    /// Of each CPU.
    pub calls: u32,
    /// Calls that the probe counted.
    pub count: Option<u64>,
}

/// The row in which a line is shared for certain: threads of a process have one umask.
pub const CONTROL: &str = "none, one process";

/// Without a probe and with each backend. xcap stays loaded, so that its symbols can be asked for.
pub fn measure(calls: u32) -> Result<Vec<Calls>> {
    let unprobed = |name: &str| Calls {
        probe: name.to_owned(),
        calls,
        count: None,
    };
    in_threads(calls)?;
    in_processes(calls)?;
    let mut all = vec![unprobed(CONTROL), unprobed("none")];
    kernel_module::load(XCAP, &[])?;
    for backend in BACKENDS {
        let probe = Probe::add(UMASK, "shared", backend)?;
        in_processes(calls)?;
        all.push(Calls {
            probe: backend.to_owned(),
            calls,
            count: Some(probe.read()?.count),
        });
    }
    Ok(all)
}

/// Each CPU in a thread of this process.
fn in_threads(calls: u32) -> Result<()> {
    let ready = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CPUS)
            .map(|cpu| {
                let ready = &ready;
                scope.spawn(move || -> Result<()> {
                    let moved = pin(cpu);
                    call(calls, ready);
                    moved
                })
            })
            .collect();
        let mut ended = threads
            .into_iter()
            .map(|thread| thread.join().expect("calling doesn't panic"));
        ended.find(Result::is_err).unwrap_or(Ok(()))
    })
}

fn pin(cpu: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(cpu)?;
    Ok(sched_setaffinity(OURSELVES, &one)?)
}

/// Each CPU in a process of its own, so that they share nothing that the kernel keeps for a process.
fn in_processes(calls: u32) -> Result<()> {
    let ready = shared_counter()?;
    let everywhere = sched_getaffinity(OURSELVES)?;
    let mut children = Vec::new();
    for cpu in 0..CPUS {
        // The child begins where its parent was.
        pin(cpu)?;
        // SAFETY: This program has no other thread now, so that the child may do anything.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => children.push(child),
            ForkResult::Child => {
                call(calls, ready);
                std::process::exit(0);
            }
        }
    }
    sched_setaffinity(OURSELVES, &everywhere)?;
    for child in children {
        match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => {}
            other => bail!("a calling process ended with {other:?}"),
        }
    }
    Ok(())
}

fn call(calls: u32, ready: &AtomicU32) {
    ready.fetch_add(1, Ordering::AcqRel);
    while (ready.load(Ordering::Acquire) as usize) < CPUS {
        std::hint::spin_loop();
    }
    Marker::Begin.execute();
    batch(calls);
    Marker::End.execute();
}

/// A counter that children share, at 0.
fn shared_counter() -> Result<&'static AtomicU32> {
    let (size, all) = (
        NonZeroUsize::MIN,
        ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
    );
    // SAFETY: New memory overlaps nothing.
    let memory = unsafe { mmap_anonymous(None, size, all, MapFlags::MAP_SHARED) }?;
    // SAFETY: It is a page of zeros that is never unmapped.
    Ok(unsafe { memory.cast::<AtomicU32>().as_ref() })
}
