// SPDX-License-Identifier: GPL-2.0

//! The programs that have pages.

use clap::{Command, CommandFactory};

/// A program: its definition, and what is written of it besides.
pub struct Program {
    pub name: &'static str,
    pub command: Command,
    /// Sections that follow the generated ones.
    pub written: &'static str,
}

macro_rules! programs {
    ($($name:literal: $cli:ty,)+) => {
        /// All of them.
        pub fn all() -> Vec<Program> {
            vec![$(Program {
                name: $name,
                command: <$cli>::command().name($name),
                written: include_str!(concat!("../pages/", $name, ".1")),
            },)+]
        }
    };
}

programs! {
    "xcap-bench": xcap_bench::cli::Cli,
    "xcap-doctor": xcap_doctor::cli::Cli,
    "xcap-lab": xcap_lab::cli::Cli,
    "xcap-paper": xcap_paper::cli::Cli,
    "xcap-read": xcap_read::cli::Cli,
    "xcap-send": xcap_frames::cli::send::Cli,
    "xcap-recv": xcap_frames::cli::recv::Cli,
    "xcap-stress": xcap_stress::Cli,
}
