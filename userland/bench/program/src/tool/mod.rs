// SPDX-License-Identifier: GPL-2.0

//! Tools that time a kernel function: how each is armed, read and taken away, in the machine that they run on.

mod armed;
mod function_graph;
mod module;
mod output;
mod process;
mod setting;
mod xcap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub use armed::{Armed, Reading};
pub use output::Format;
pub use setting::Setting;

/// How to run a tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Tool {
    /// xcap, with a backend.
    Xcap { backend: String, setting: Setting },
    /// One of userland/bench/program/peers/modules, loaded on the function.
    Module { file: String },
    /// A program that prints what it saw when it is interrupted.
    Process {
        /// Arguments for each function, by its name.
        commands: Vec<(String, Vec<String>)>,
        format: Format,
        /// Of a kernel module that it loads.
        module: Option<String>,
    },
    /// The tracer of that name, by tracefs alone.
    FunctionGraph,
}

impl Tool {
    pub fn arm(&self, function: &str) -> Result<Box<dyn Armed>> {
        match self {
            Tool::Xcap { backend, setting } => xcap::arm(function, backend, *setting),
            Tool::Module { file } => module::arm(function, file),
            Tool::Process {
                commands,
                format,
                module,
            } => process::arm(function, commands, *format, module.as_deref()),
            Tool::FunctionGraph => function_graph::arm(function),
        }
    }
}
