// SPDX-License-Identifier: GPL-2.0

//! The module's rooms, one concept a file.

pub(crate) mod backend;
pub(crate) mod bindings;
pub(crate) mod btf;
pub(crate) mod calibration;
pub(crate) mod cell;
pub(crate) mod cells;
pub(crate) mod clock;
pub(crate) mod control;
pub(crate) mod cpu;
pub(crate) mod debugfs;
pub(crate) mod direct;
pub(crate) mod drivers;
pub(crate) mod epoch;
pub(crate) mod errors;
pub(crate) mod fprobe;
pub(crate) mod kretprobe;
pub(crate) mod nokprobe;
pub(crate) mod probe;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod role;
pub(crate) mod stages;
pub(crate) mod switches;
pub(crate) mod symbols;
pub(crate) mod totals;
