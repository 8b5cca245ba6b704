// SPDX-License-Identifier: GPL-2.0

//! What kernel and userland both compile: the words and the `stats` format, and its arithmetic.
//!
//! The kernel module includes these files, but [`read`], as modules of its own; userland depends
//! on them as the crate `xcap-abi`. No `std`, no dependency, and but for [`read`] no allocation.
#![no_std]

extern crate alloc;

pub mod backend;
pub mod btf;
pub mod decimal;
pub mod figures;
pub mod format;
pub mod histogram;
pub mod mark;
pub mod paths;
pub mod read;
pub mod reason;
pub mod record;
pub mod role;
pub mod rules;
pub mod stage;
pub mod stages;
pub mod state;
pub mod transmit;
mod vocabulary;
pub mod word;
