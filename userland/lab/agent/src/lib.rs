// SPDX-License-Identifier: GPL-2.0

//! What `xcap-lab` and the agent in a guest say to each other.

pub mod frame;
pub mod protocol;
