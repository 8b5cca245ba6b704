// SPDX-License-Identifier: GPL-2.0

//! Runs of the paper's experiment: made, kept and read back.
//!
//! [`record`] is what runs in each machine and gives its [`part`]; [`run`] has machines record
//! while one sends; [`layout`] keeps the parts as a run, and [`load`] reads runs back.

pub mod cpu_time;
mod find;
mod format;
pub mod frames;
pub mod gather;
pub mod layout;
pub mod load;
pub mod machine;
pub mod marked;
pub mod part;
pub mod planned;
pub mod record;
pub mod role;
pub mod run;
pub mod run_id;
pub mod scenario;
pub mod settings;
pub mod testbed;
