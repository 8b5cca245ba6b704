// SPDX-License-Identifier: GPL-2.0

//! Which returns a processor mispredicts between two markers, by a model of its return-address stack.
//!
//! A program in an emulated machine executes the markers (`xcap-marker`); the emulator's plugin
//! (`xcap-returns-qemu`) tells of every call and return.

pub mod branch;
pub mod recorder;
pub mod stack;
pub mod window;

pub use branch::Branch;
pub use recorder::Recorder;
pub use stack::ReturnStack;
pub use window::{Window, ENTRIES};
