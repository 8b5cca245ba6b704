// SPDX-License-Identifier: GPL-2.0

//! Kernel modules that are built for the lab's kernel: xcap, and small ones.

pub mod kbuild;
pub mod module;
