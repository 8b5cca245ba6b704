// SPDX-License-Identifier: GPL-2.0

//! Guests' images: what is in each, as an initramfs.

pub mod archive;
pub mod guest;
pub mod kmods;
