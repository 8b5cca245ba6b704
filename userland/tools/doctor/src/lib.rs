// SPDX-License-Identifier: GPL-2.0

//! Whether a machine gives good figures, for `xcap-doctor`; and why xcap is not there, for whoever looks for it.
//!
//! All is read from a machine's files below its root, [`Host`], which may be a copy of them.

mod absence;
mod check;
pub mod cli;
mod clock;
mod examination;
mod host;
mod kernel;
mod kernel_log;
mod lockdown;
mod module;
mod processor;
mod role;
pub mod show;
mod stage;
mod tracers;

pub use absence::{absence, Absence};
pub use check::{Check, Verdict};
pub use examination::Examination;
pub use host::Host;
pub use stage::StageCheck;
