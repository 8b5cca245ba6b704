// SPDX-License-Identifier: GPL-2.0

//! The assembled code, mapped where it was linked for.

use crate::layout::IMAGE;
use crate::unit::{Returns, Unit};
use anyhow::{Context, Result};
use nix::sys::mman::{mmap_anonymous, mprotect, MapFlags, ProtFlags};
use std::num::NonZeroUsize;
use std::sync::OnceLock;

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/image"));

/// What asm/kernel.S lays out at the image's begin.
#[repr(C)]
pub struct Head {
    pub units: [&'static Unit; 3],
    /// A template of a CPU's own memory, and what lies in it.
    pub percpu: *const u8,
    pub percpu_end: *const u8,
    pub totals: *const u8,
    pub preempt_count: *const u8,
    pub shape: *const u8,
    pub shadow: *const u8,
    pub cells: *const u8,
    /// In the image, for all CPUs: the cells that a slot records in.
    pub slot_cells: *mut u64,
}

// SAFETY: A table of addresses that never changes.
unsafe impl Sync for Head {}

static MAPPED: OnceLock<()> = OnceLock::new();

/// Maps the image, once.
pub fn map() -> Result<()> {
    if MAPPED.get().is_some() {
        return Ok(());
    }
    let address = NonZeroUsize::new(IMAGE).context("the image lies somewhere")?;
    let size = NonZeroUsize::new(BYTES.len()).context("the image holds code")?;
    let write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED_NOREPLACE;
    // SAFETY: Memory that nothing has yet, or an error.
    let memory = unsafe { mmap_anonymous(Some(address), size, write, flags) }
        .with_context(|| format!("cannot map memory at {IMAGE:#x}"))?;
    // SAFETY: Just mapped, of that size.
    unsafe { std::ptr::copy_nonoverlapping(BYTES.as_ptr(), memory.as_ptr().cast(), BYTES.len()) };
    // SAFETY: As above. Data lies among the code, as there is nothing to be protected from.
    unsafe { mprotect(memory, BYTES.len(), write | ProtFlags::PROT_EXEC) }.context(
        "cannot have memory that is written to, as ftrace does to the kernel's code, and executed: \
         a security module forbids it (SELinux: execmem)",
    )?;
    let _ = MAPPED.set(());
    Ok(())
}

/// The mapped image's.
pub fn head() -> &'static Head {
    assert!(
        MAPPED.get().is_some(),
        "the image is mapped before it is used"
    );
    // SAFETY: Mapped, and laid out by asm/kernel.S.
    unsafe { &*(IMAGE as *const Head) }
}

impl Returns {
    /// What was assembled with this form of return.
    pub fn unit(self) -> &'static Unit {
        head().units[self as usize]
    }
}
