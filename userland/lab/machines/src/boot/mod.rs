// SPDX-License-Identifier: GPL-2.0

//! The machines: which, how they are emulated, started and ended.

pub mod config;
pub mod emulation;
pub mod lab;
pub mod logs;
pub mod machine;
pub mod plugin;
mod spawner;
