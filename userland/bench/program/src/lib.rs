// SPDX-License-Identifier: GPL-2.0

//! What a probe costs, and whether what it reports is true: xcap's backends beside every peer.

pub mod bench;
pub mod check;
pub mod cli;
pub mod control;
pub mod document;
pub mod exact;
mod guest_files;
pub mod hit;
mod installed;
pub mod job;
mod kernel_module;
pub mod marks;
pub mod mispredicted;
pub mod peers;
mod progress;
pub mod record;
pub mod returns;
pub mod scale;
pub mod shared_lines;
pub mod show;
mod symbols;
pub mod targets;
pub mod testbed;
pub mod tool;
pub mod two_cpus;
pub mod umask;
mod work;
pub mod workload;
