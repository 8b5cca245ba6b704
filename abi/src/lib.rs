// SPDX-License-Identifier: GPL-2.0

//! What kernel and userland both compile: the `stats` format and its arithmetic.
//!
//! The kernel module includes these files as modules of its own; userland
//! depends on them as the crate `xcap-abi`. No `std`, no allocation, no
//! dependency.
#![cfg_attr(not(test), no_std)]

pub mod format;
pub mod histogram;
