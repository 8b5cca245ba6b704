// SPDX-License-Identifier: GPL-2.0

//! What kernel and userland both compile: the words and the `stats` format, and its arithmetic.
//!
//! The kernel module includes these files as modules of its own; userland
//! depends on them as the crate `xcap-abi`. No `std`, no allocation, no
//! dependency.
#![cfg_attr(not(test), no_std)]

pub mod backend;
pub mod format;
pub mod histogram;
pub mod reason;
pub mod role;
pub mod stage;
pub mod state;
mod words;
