// SPDX-License-Identifier: GPL-2.0

//! Which lines of memory several CPUs touch between two markers.
//!
//! A program in an emulated machine executes the markers (`xcap-marker`); the emulator's plugin (`xcap-lines-qemu`) records.

pub mod recorder;
pub mod window;

pub use recorder::Recorder;
pub use window::{Count, Line, Touches, Window};

/// Of a cache line, on every x86-64 processor.
pub const LINE_BYTES: u64 = 64;
