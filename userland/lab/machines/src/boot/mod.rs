// SPDX-License-Identifier: GPL-2.0

//! The machines of a lab, started and ended.

mod domu;
mod fitted;
pub mod hardware;
pub mod lab;
pub mod logs;
pub mod machine;
mod qemu;
mod run_folder;
mod spawner;
pub mod system;
pub mod wire;
