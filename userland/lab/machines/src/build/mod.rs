// SPDX-License-Identifier: GPL-2.0

//! What is built for the guests: kernel modules, images.

pub mod guest_image;
pub mod image;
pub mod kbuild;
mod kmods;
pub mod module;
